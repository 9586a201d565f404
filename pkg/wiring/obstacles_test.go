package wiring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// One row for each of the table of obstacles, and what the policy does about it.
func TestObstacles(t *testing.T) {
	const (
		logging = "<Logging><Enabled>true</Enabled><Bucket>logs.s3.eu-west-1.amazonaws.com</Bucket></Logging>"
		arn     = "arn:aws:lambda:us-east-1:100000000000:function:auth:7"
		edge    = "<DefaultCacheBehavior><LambdaFunctionAssociations><Quantity>2</Quantity><Items><LambdaFunctionAssociation><LambdaFunctionARN>" + arn +
			"</LambdaFunctionARN></LambdaFunctionAssociation></Items></LambdaFunctionAssociations></DefaultCacheBehavior>"
		group = "<OriginGroups><Quantity>1</Quantity><Items><OriginGroup><Id>g</Id><Members><Quantity>2</Quantity><Items><OriginGroupMember><OriginId>s3</OriginId>" +
			"</OriginGroupMember><OriginGroupMember><OriginId>%</OriginId></OriginGroupMember></Items></Members></OriginGroup></Items></OriginGroups>"
	)
	behaviors := func(paths ...string) string {
		var all strings.Builder
		for _, path := range paths {
			all.WriteString("<CacheBehavior><PathPattern>" + path + "</PathPattern><TargetOriginId>s3</TargetOriginId></CacheBehavior>")
		}
		return "<CacheBehaviors><Quantity>1</Quantity><Items>" + all.String() + "</Items></CacheBehaviors>"
	}
	certificate := func(element, id string) string {
		return "<ViewerCertificate><" + element + ">" + id + "</" + element + "></ViewerCertificate>"
	}
	own := certificate("ACMCertificateArn", "arn:own")
	for name, c := range map[string]struct {
		part     string
		disabled bool
		granted  []string
		stated   origin.Permissions
		codes    []origin.Code
		says     string
	}{
		"nothing":                      {part: own},
		"disabled":                     {part: own, disabled: true, codes: []origin.Code{wiring.DistributionDisabled}, says: "it is disabled, so viewers get nothing; enable it"},
		"default certificate":          {codes: []origin.Code{wiring.CertificateOther}, says: "it has CloudFront's default certificate, and CloudFront accepts only aliases that the certificate covers; attach arn:own"},
		"another certificate":          {part: certificate("ACMCertificateArn", "arn:other"), codes: []origin.Code{wiring.CertificateOther}, says: "it has certificate arn:other"},
		"an IAM certificate":           {part: certificate("IAMCertificateId", "ASCA"), codes: []origin.Code{wiring.CertificateOther}, says: "it has certificate ASCA"},
		"the old form of certificates": {part: certificate("Certificate", "arn:own")},
		"logging":                      {part: own + logging, codes: []origin.Code{wiring.PermissionMissing}, says: "updates may need s3:GetBucketAcl and s3:PutBucketAcl on it; write logs into distribution.permissions.logBuckets"},
		"logging, stated":              {part: own + logging, stated: origin.Permissions{LogBuckets: []string{"logs"}}},
		"logging, another stated":      {part: own + logging, stated: origin.Permissions{LogBuckets: []string{"log"}}, codes: []origin.Code{wiring.PermissionMissing}},
		"Lambda@Edge":                  {part: own + edge, codes: []origin.Code{wiring.PermissionMissing}, says: "write " + arn + " into distribution.permissions.edgeFunctions"},
		"Lambda@Edge, stated":          {part: own + edge, stated: origin.Permissions{EdgeFunctions: []string{arn}}},
		"continuous deployment": {
			part: own + "<ContinuousDeploymentPolicyId>cd1</ContinuousDeploymentPolicyId>", codes: []origin.Code{wiring.ContinuousDeployment},
			says: "continuous deployment policy cd1: viewers whom",
		},
		"an empty policy id":          {part: own + "<ContinuousDeploymentPolicyId></ContinuousDeploymentPolicyId>"},
		"a group of a managed origin": {part: own + strings.Replace(group, "%", "originhub-vo_1", 1), codes: []origin.Code{wiring.OriginGroup}, says: "origin group g contains a VPC origin"},
		"a group of other origins":    {part: own + strings.Replace(group, "%", "public", 1)},
		"a pattern in front": {
			part: own + behaviors("*.json"), granted: []string{"/a/*", "/b/*", "/c/*", "/d/*"}, codes: []origin.Code{wiring.PatternInFront},
			says: "behavior *.json takes a part of /a/*, /b/*, /c/* and 1 more",
		},
		"a pattern that covers":         {part: own + behaviors("/*", "/*.json"), granted: []string{"/a/*"}},
		"a pattern of other paths":      {part: own + behaviors("/x/*"), granted: []string{"/a/*"}},
		"a pattern of a part":           {part: own + behaviors("/a/static/*"), granted: []string{"/a/*"}, codes: []origin.Code{wiring.PatternInFront}, says: "/a/static/* takes a part of /a/*"},
		"a granted path":                {part: own + behaviors("a/*"), granted: []string{"/a/*"}, codes: []origin.Code{wiring.PathTaken}, says: "behavior a/* has a path that the hub policy grants"},
		"a granted path, wired by hand": {part: own + strings.Replace(behaviors("/a/*"), "s3", "hand", 1), granted: []string{"/a/*"}},
	} {
		enabled := map[bool]string{true: "false", false: "true"}[c.disabled]
		vpc := func(id string) string {
			return "<Origin><Id>" + id + "</Id><VpcOriginConfig><VpcOriginId>vo_1</VpcOriginId></VpcOriginConfig></Origin>"
		}
		config := parse(t, []byte("<DistributionConfig><Origins><Quantity>4</Quantity><Items><Origin><Id>s3</Id></Origin><Origin><Id>public</Id></Origin>"+vpc("originhub-vo_1")+vpc("hand")+
			"</Items></Origins><Enabled>"+enabled+"</Enabled>"+c.part+"</DistributionConfig>"))
		r := observed(config, true)
		r.Terms.Certificate, r.Terms.Granted, r.Terms.Permissions, r.Item.Examined = "arn:own", c.granted, c.stated, ""
		r, why := examined(t, r)
		if len(why) != 1 || !strings.Contains(why[0], c.says) || c.codes == nil && why[0] != "distribution E1 is adopted: nothing in it is in the way of originhub" ||
			!slices.Equal(origin.Codes(r.Item.Obstacles), c.codes) {
			t.Errorf("%s: %q, %v", name, why, r.Item.Obstacles)
		}
	}
}

// examined returns the run once it has concluded, and what it says about obstacles.
func examined(t *testing.T, r wiring.Run) (wiring.Run, []string) {
	t.Helper()
	r, step := settle(t, r)
	var why []string
	for _, e := range step.Outcome.Events {
		if e.Type == contract.DistributionExamined {
			why = append(why, e.Detail.Why)
		}
	}
	return r, why
}

// Obstacles are reported at the first observation of a distribution, and when they change. The hub's own distributions have none.
func TestObstaclesAreReportedOnce(t *testing.T) {
	bare := "<DistributionConfig><CallerReference>%</CallerReference><Origins><Quantity>0</Quantity></Origins><Enabled>false</Enabled></DistributionConfig>"
	disabled := parse(t, []byte(bare))
	enabled := parse(t, []byte(strings.Replace(bare, "false", "true", 1)))
	d := item("E1")
	d.Examined = ""
	for i, c := range []struct {
		config *wiring.Config
		id     string
		says   string
	}{
		{disabled, "E1", "distribution E1 is adopted: it is disabled"},
		{disabled, "E1", ""},
		{enabled, "E1", "distribution E1 has changed: nothing in it is in the way"},
		{enabled, "E1", ""},
		{disabled, "E1", "distribution E1 has changed: it is disabled"},
		{disabled, "E2", "distribution E2 is adopted: it is disabled"},
	} {
		r := observed(c.config, true)
		r.Item = d
		r.Item.ID = c.id
		r, why := examined(t, r)
		if d = r.Item; len(why) > 1 || len(why) == 0 != (c.says == "") || !strings.HasPrefix(strings.Join(why, ""), c.says) {
			t.Errorf("step %d: %q, want %q", i, why, c.says)
		}
	}
	d.Examined = ""
	dropped := observed(disabled, true)
	dropped.Item, dropped.Terms.Named = d, false
	made := observed(disabled, true)
	made.Item, made.Terms = d, creates
	back := observed(parse(t, []byte(strings.Replace(bare, "%", adopts.CallerReference, 1))), true) // the hub created it
	back.Item = d
	for name, r := range map[string]wiring.Run{"dropped from the policy": dropped, "created": made, "created, and adopted": back} {
		if _, why := examined(t, r); len(why) > 0 {
			t.Errorf("%s: %q", name, why)
		}
	}
}
