package front

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// refusal returns why a request is refused that a web page may have sent, or "". The sandbox has no credentials to check, so without this a
// page that a developer visits could move the clock, set faults and call every API, across origins or by DNS rebinding.
//
//	Host          Origin           Sec-Fetch-Site           refused
//	not loopback  any              any                      yes
//	loopback      none             none                     no: not a browser
//	loopback      the same host    same-origin, none, ""    no: a page of the sandbox itself
//	loopback      another, "null"  any                      yes
//	loopback      any              cross-site, same-site    yes
func refusal(r *http.Request) string {
	if !loopback(r.Host) {
		return "the sandbox does not serve host " + r.Host + "; send requests to localhost or a loopback address such as 127.0.0.1"
	}
	if from := r.Header.Get("Origin"); from != "" {
		if u, err := url.Parse(from); err != nil || u.Host != r.Host {
			return "the sandbox does not serve web pages of origin " + from + "; call it from a program or from the command line"
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return "the sandbox does not serve " + site + " requests of web pages; call it from a program or from the command line"
	}
	return ""
}

// loopback reports whether a Host header names this machine.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
