package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answering is a Prometheus whose increase() of each metric is a number.
func answering(t *testing.T, values map[string]string) *Prometheus {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range values {
			if strings.HasPrefix(r.FormValue("query"), "sum(increase("+name+`{user="al\"ice"}`) {
				_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,%q]}]}}`, value)
				return
			}
		}
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
	}))
	t.Cleanup(server.Close)
	source, err := NewReader(nil).Prometheus(server.URL, "", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestIncreaseOfACaller(t *testing.T) {
	authorized, limited, err := answering(t, map[string]string{authorizedCalls: "1.5", limitedCalls: "4"}).Increase(t.Context(), `al"ice`)
	if err != nil || authorized != 1.5 || limited != 4 {
		t.Errorf("%v, %v, %v; want 1.5 and 4", authorized, limited, err)
	}
	authorized, limited, err = answering(t, nil).Increase(t.Context(), `al"ice`)
	if err != nil || authorized != 0 || limited != 0 {
		t.Errorf("without a series: %v, %v, %v; want 0 and 0", authorized, limited, err)
	}
	for _, strange := range []string{"NaN", "+Inf"} {
		if _, _, err := answering(t, map[string]string{authorizedCalls: strange}).Increase(t.Context(), `al"ice`); err == nil {
			t.Errorf("%s is taken for a number", strange)
		}
	}
}
