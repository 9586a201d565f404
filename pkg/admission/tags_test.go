package admission

import "testing"

func TestUnknownTags(t *testing.T) {
	for key, want := range map[string]string{
		"originhub:host":       "",
		"originhub:paths":      "",
		"originhub:domain":     "",
		"originhub:teardown":   "",
		"Name":                 "",
		"aws:cloudformation:x": "",
		"team":                 "",
		"originhub:path":       `vo_1 has the tag "originhub:path", which originhub does not read: rename it to originhub:paths, or remove it`,
		"Originhub:Domain":     `vo_1 has the tag "Originhub:Domain", which originhub does not read: rename it to originhub:domain, or remove it`,
		"originhub:host ":      `vo_1 has the tag "originhub:host ", which originhub does not read: rename it to originhub:host, or remove it`,
		"originhub-hosts":      `vo_1 has the tag "originhub-hosts", which originhub does not read: rename it to originhub:host, or remove it`,
		"originhub:tear-down":  `vo_1 has the tag "originhub:tear-down", which originhub does not read: rename it to originhub:teardown, or remove it`,
		"originhub:colour":     `vo_1 has the tag "originhub:colour", which originhub does not read: remove it; the tags are originhub:domain, originhub:host, originhub:paths, originhub:teardown, originhub:teardown-confirm, originhub:read-timeout, originhub:keepalive-timeout, originhub:connection-attempts`,
	} {
		got := ""
		if reasons := unknownTags("vo_1", map[string]string{key: "x"}); len(reasons) > 0 {
			got = reasons[0].Message
			if reasons[0].Code != TagUnknown || reasons[0].Subject != key {
				t.Errorf("%s: %+v", key, reasons[0])
			}
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", key, got, want)
		}
	}
}
