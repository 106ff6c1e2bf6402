package evidence

import (
	"encoding/json"
	"strconv"
)

// appendEntry appends what json.Marshal makes of e, byte for byte. It is
// written by hand because it is on the measured path: a hit's line costs no
// allocation and no reflection.
func appendEntry(b []byte, e *Entry) []byte {
	b = appendString(append(b, `{"hit":`...), e.Hit)
	b = appendString(append(b, `,"attack":`...), e.Attack)
	b = strconv.AppendUint(append(b, `,"seq":`...), e.Seq, 10)
	if e.Identity != "" {
		b = appendString(append(b, `,"identity":`...), e.Identity)
	}
	if e.Worker != "" {
		b = appendString(append(b, `,"worker":`...), e.Worker)
	}
	if e.Unsure != 0 {
		b = strconv.AppendInt(append(b, `,"unsure":`...), int64(e.Unsure), 10)
	}
	b = strconv.AppendInt(append(b, `,"due":`...), int64(e.Due), 10)
	b = strconv.AppendInt(append(b, `,"sent":`...), int64(e.Sent), 10)
	b = strconv.AppendInt(append(b, `,"received":`...), int64(e.Received), 10)
	b = appendString(append(b, `,"outcome":`...), string(e.Outcome))
	b = strconv.AppendInt(append(b, `,"status":`...), int64(e.Status), 10)
	if e.From != "" {
		b = appendString(append(b, `,"from":`...), e.From)
	}
	if e.Error != "" {
		b = appendString(append(b, `,"error":`...), e.Error)
	}
	if e.Answer != nil {
		b = appendJSON(append(b, `,"answer":`...), e.Answer)
	}
	return append(b, '}')
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		// What json.Marshal copies as it is; the rest, hostile text mostly, is
		// left to json.Marshal itself.
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendJSON(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendJSON appends a string or an *Answer, neither of which json.Marshal can
// refuse.
func appendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}
