package main

import (
	"encoding/base64"
	"io"
	"net/url"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// redactor takes what must not be seen out of messages: they end up in records.
type redactor struct{ secrets []string }

func newRedactor(request Request) *redactor {
	r := &redactor{}
	if u, err := url.Parse(request.Chart.Repository); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			r.add(password)
		}
		r.add(u.User.String())
	}
	if request.Kubeconfig == "" {
		return r
	}
	config, err := clientcmd.LoadFromFile(request.Kubeconfig)
	if err != nil {
		return r
	}
	for _, user := range config.AuthInfos {
		r.add(user.Token)
		r.add(user.Password)
		r.add(string(user.ClientKeyData))
		r.add(base64.StdEncoding.EncodeToString(user.ClientKeyData))
		r.add(base64.StdEncoding.EncodeToString(user.ClientCertificateData))
	}
	for _, cluster := range config.Clusters {
		if u, err := url.Parse(cluster.ProxyURL); err == nil && u.User != nil {
			r.add(u.User.String())
		}
	}
	return r
}

func (r *redactor) add(secret string) {
	if secret != "" {
		r.secrets = append(r.secrets, secret)
	}
}

func (r *redactor) clean(text string) string {
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// cleaned writes a logger's records, each of which is one write.
type cleaned struct {
	io.Writer
	redactor *redactor
}

func (c cleaned) Write(record []byte) (int, error) {
	if _, err := io.WriteString(c.Writer, c.redactor.clean(string(record))); err != nil {
		return 0, err
	}
	return len(record), nil
}
