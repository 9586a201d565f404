package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

// balancer is a load balancer that no template created. It has one listener rule for its hosts, and a fixed 403 for all other
// requests.
type balancer struct {
	arn, account string
	origins      []cloudfront.VpcOriginView // all VPC origins
}

// name returns the third part of arn:…:loadbalancer/app/<name>/<id>, or the id of an instance.
func (b balancer) name() string {
	parts := strings.Split(b.arn, "/")
	if len(parts) == 4 {
		return parts[2]
	}
	return parts[len(parts)-1]
}

// accepts reports whether the listener rule matches the host. Assumption EDGE-05.
func (b balancer) accepts(host string) bool {
	var hosts []string
	for _, o := range b.origins {
		for key, value := range o.Tags {
			if o.Endpoint == b.arn && strings.HasSuffix(key, ":host") {
				hosts = append(hosts, strings.Fields(strings.ToLower(value))...)
			}
		}
	}
	if len(hosts) > 0 {
		return slices.Contains(hosts, host)
	}
	label, _, _ := strings.Cut(host, ".")
	return label == b.name()
}

func (b balancer) serve(method, host, path string) answer {
	if !b.accepts(host) {
		return answer{http.StatusForbidden, http.Header{
			"Content-Type": {"text/plain; charset=utf-8"}, "Server": {"awselb/2.0"}, "X-Sandbox-Answered-By": {"load balancer"},
		}, "403 Forbidden\n"}
	}
	return b.application(method, host, path)
}

// application is the service behind every load balancer: customers by id, and a service worker that wants to control the whole host, below whatever
// path its team chose. It checks only the path, so that the response shows a request that was routed to the wrong team.
func (b balancer) application(method, host, path string) answer {
	header := http.Header{"Content-Type": {"application/json"}, "X-Sandbox-Answered-By": {"application"}}
	parts := strings.Split(path, "/")
	n := len(parts)
	if method == http.MethodGet && n >= 3 && parts[n-1] == "service-worker.js" {
		header.Set("Content-Type", "text/javascript")
		header.Set("Service-Worker-Allowed", "/")
		return answer{http.StatusOK, header, "// a service worker of " + b.name() + "\n"}
	}
	known := n >= 4 && parts[0] == "" && parts[1] != "" && parts[n-2] == "customers" && parts[n-1] != ""
	if !known || (method != http.MethodGet && method != http.MethodHead) {
		return answer{http.StatusNotFound, header, fmt.Sprintf("{\"message\": %s}\n", quote("nothing here: "+method+" "+path))}
	}
	return answer{http.StatusOK, header, fmt.Sprintf("{\"customerId\": %s, \"host\": %s, \"servedBy\": %s, \"account\": %s}\n",
		quote(parts[n-1]), quote(host), quote(b.name()), quote(b.account))}
}

func quote(s string) string {
	b, _ := json.Marshal(s) // strings always marshal
	return string(b)
}
