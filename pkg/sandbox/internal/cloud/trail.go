package cloud

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"
	"unicode"
	"unicode/utf8"
)

// TrailDelay is the time that a call takes to reach EventBridge through CloudTrail. AWS gives no figure. Assumption TRAIL-01.
const TrailDelay = 30 * time.Second

// TrailRecord is a CloudTrail record of an account's event history.
type TrailRecord struct {
	Time            time.Time
	Account, Region string
	Detail          map[string]any
}

// History returns the CloudTrail records, oldest first, and how many older ones were dropped. Call with the world locked.
func (w *World) History() (kept []TrailRecord, dropped int) {
	return w.history.Entries(), w.history.Dropped()
}

// Record adds a CloudTrail record to the event history. If the account has a trail, it also puts the record on the default bus,
// with the source that EventBridge gives it. Call with the world locked.
func (w *World) Record(account, region, source string, detail map[string]any) {
	now := w.Clock.Now()
	detail["eventID"], detail["eventTime"] = w.IDs.UUID(), now.Format("2006-01-02T15:04:05Z")
	detail["awsRegion"], detail["recipientAccountId"] = region, account
	detail["eventVersion"], detail["eventType"] = "1.11", "AwsApiCall"
	detail["managementEvent"], detail["eventCategory"], detail["readOnly"] = true, "Management", false
	w.history.Add(TrailRecord{Time: now, Account: account, Region: region, Detail: detail})
	if a := w.accounts[account]; a != nil && a.NoTrail {
		return
	}
	w.Emit(Event{
		Account: account, Region: region, Source: source, DetailType: "AWS API Call via CloudTrail", Detail: detail, Delay: TrailDelay,
	})
}

// trail records a call in the caller's account, which is the recipientAccountId.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (w *World) trail(c *Call, in, out any, err error) {
	if c.Caller.Account == "" {
		return
	}
	identity := map[string]any{"type": "Root", "accountId": c.Caller.Account, "arn": c.Caller.ARN, "principalId": c.Caller.Account}
	if c.Caller.RoleARN != "" {
		identity = map[string]any{
			"type": "AssumedRole", "accountId": c.Caller.Account, "arn": c.Caller.ARN,
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": c.Caller.RoleARN, "accountId": c.Caller.Account}},
		}
	}
	detail := map[string]any{
		"eventSource": c.Service.EventSource, "eventName": c.Operation.Name,
		"sourceIPAddress": orElse(c.SourceIP, "127.0.0.1"), "userAgent": orElse(c.UserAgent, "originhub-sandbox"),
		"userIdentity": identity, "requestID": c.RequestID, "requestParameters": trailValue(in), "responseElements": nil,
	}
	if c.Service.TrailVersion != "" {
		detail["apiVersion"] = c.Service.TrailVersion
	}
	if t, ok := out.(Trailed); ok {
		detail["responseElements"] = t.TrailRecord()
	}
	if err != nil {
		e := AsError(err)
		detail["errorCode"], detail["errorMessage"] = e.Code, e.Message
	}
	w.Record(c.Caller.Account, c.Region, "aws."+c.Service.Name, detail)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func trailValue(v any) any {
	if t, ok := v.(Trailed); ok {
		return t.TrailRecord()
	}
	if v == nil || (reflect.ValueOf(v).Kind() == reflect.Pointer && reflect.ValueOf(v).IsNil()) {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m any
	if d.Decode(&m) != nil {
		return nil
	}
	return lowerCamel(m)
}

func lowerCamel(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if e == nil || e == "" {
				continue
			}
			r, n := utf8.DecodeRuneInString(k)
			out[string(unicode.ToLower(r))+k[n:]] = lowerCamel(e)
		}
		return out
	case []any:
		for i := range v {
			v[i] = lowerCamel(v[i])
		}
	}
	return v
}
