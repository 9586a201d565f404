package cloudfront_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudfront"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

func TestWhatIsWrittenIsWhatIsRead(t *testing.T) {
	w := newWorld(t)
	w.cf.FutureFields = []string{"Origins/Items/Origin/Teleport", "Weather"}
	odd := config{
		comment: "a &amp; b &#x9;  <![CDATA[<c>]]>", extra: "<Weather><Sun much=\"very\"/></Weather><!-- kept -->",
		origins: []string{strings.Replace(vpcOriginElement("x", w.origin(hub, "own").ID, ""), "<VpcOriginConfig>", "<Teleport>on</Teleport>\n\t<VpcOriginConfig>", 1)},
	}
	id := w.distribution(hub, odd)
	read := func() string {
		return string(must[cloudfront.DistributionConfigOutput](w, hub, "GetDistributionConfig", &cloudfront.DistributionID{ID: id}).DistributionConfig)
	}
	first := read()
	if rest, ok := without(first, string(odd.xml())); !ok {
		t.Fatalf("read\n%s\nwhich does not have all that was written\n%s", first, odd.xml())
	} else if rest == "" {
		t.Fatal("no default was filled in")
	}
	etag, _ := w.get(hub, id)
	must[cloudfront.DistributionOutput](w, hub, "UpdateDistribution", &cloudfront.UpdateDistributionInput{
		ID: id, IfMatch: etag, DistributionConfig: cloud.RawXML(first),
	})
	if got := read(); got != first {
		t.Fatalf("what was read was written, and then read as\n%s\nbefore it was\n%s", got, first)
	}
	if err := w.cf.ForeignEdit(id, "by <hand>"); err != nil {
		t.Fatal(err)
	}
	if got, want := read(), strings.Replace(first, odd.comment, "by &lt;hand&gt;", 1); got != want {
		t.Fatalf("after an edit by hand read\n%s\nwant\n%s", got, want)
	}
	out := must[cloudfront.ListDistributionsOutput](w, hub, "ListDistributions", &cloudfront.ListDistributionsInput{})
	if !strings.Contains(string(out.DistributionList), "<Teleport>on</Teleport>") {
		t.Errorf("the list lost a field: %s", out.DistributionList)
	}
}

// without returns what text has beside the characters of part, in order, and false if it does not have them all.
func without(text, part string) (rest string, ok bool) {
	var b strings.Builder
	for text != "" {
		if part != "" && text[0] == part[0] {
			part = part[1:]
		} else {
			b.WriteByte(text[0])
		}
		text = text[1:]
	}
	return b.String(), part == ""
}

func TestAssumption_CF_36_DefaultsOfADistribution(t *testing.T) {
	w := newWorld(t)
	c := client(w, hub)
	id := w.distribution(hub, config{
		origins:   []string{vpcOriginElement("x", w.origin(hub, "own").ID, "")},
		behaviors: []string{behavior("/a", "x", items("AllowedMethods", "Method", []string{"GET", "HEAD", "OPTIONS"}))},
	})
	out, err := c.GetDistributionConfig(context.Background(), &sdk.GetDistributionConfigInput{Id: aws.String(id)})
	if err != nil {
		t.Fatal(err)
	}
	d := out.DistributionConfig
	if d.HttpVersion != "http2" || d.PriceClass != "PriceClass_All" || *d.Aliases.Quantity != 0 || *d.Logging.Enabled || *d.WebACLId != "" ||
		*d.DefaultRootObject != "" || !*d.ViewerCertificate.CloudFrontDefaultCertificate || d.ViewerCertificate.MinimumProtocolVersion != "TLSv1" ||
		d.Restrictions.GeoRestriction.RestrictionType != "none" || *d.OriginGroups.Quantity != 0 || *d.CustomErrorResponses.Quantity != 0 {
		t.Errorf("%+v", d)
	}
	for _, o := range d.Origins.Items {
		if *o.ConnectionAttempts != 3 || *o.ConnectionTimeout != 10 || *o.OriginPath != "" || *o.CustomHeaders.Quantity != 0 || *o.OriginShield.Enabled {
			t.Errorf("%+v", o)
		}
	}
	if custom, own := d.Origins.Items[0].CustomOriginConfig, d.Origins.Items[1].VpcOriginConfig; *custom.OriginReadTimeout != 30 ||
		*custom.OriginKeepaliveTimeout != 5 || *own.OriginReadTimeout != 30 || *own.OriginKeepaliveTimeout != 5 {
		t.Errorf("%+v %+v", custom, own)
	}
	if b := d.DefaultCacheBehavior; *b.Compress || *b.SmoothStreaming || *b.AllowedMethods.Quantity != 2 || *b.AllowedMethods.CachedMethods.Quantity != 2 ||
		*b.FunctionAssociations.Quantity != 0 || *b.LambdaFunctionAssociations.Quantity != 0 || *b.TrustedSigners.Enabled || *b.FieldLevelEncryptionId != "" {
		t.Errorf("%+v", b)
	}
	if m := d.CacheBehaviors.Items[0].AllowedMethods; *m.Quantity != 3 || *m.CachedMethods.Quantity != 2 {
		t.Errorf("methods that were written: %+v", m)
	}
}

func TestConfigRefusals(t *testing.T) {
	w := newWorld(t)
	own := w.origin(hub, "own").ID
	w.distribution(teamB, config{aliases: []string{"taken.example.com"}})
	unpublished := must[cloudfront.FunctionOutput](w, hub, "CreateFunction", &cloudfront.CreateFunctionInput{
		Name: "draft", FunctionConfig: &cloudfront.FunctionConfig{Runtime: "cloudfront-js-2.0"}, FunctionCode: "Ly8=",
	}).FunctionSummary.FunctionMetadata.FunctionARN
	foreign := w.publish(teamA, "foreign", "//")
	tests := map[string]struct {
		config config
		status int
		code   string
	}{
		"unknown element":             {config{extra: "<Weather/>"}, 400, "MalformedInput"},
		"element twice":               {config{extra: "<Enabled>true</Enabled>"}, 400, "MalformedInput"},
		"text for elements":           {config{extra: "<Logging>yes</Logging>"}, 400, "MalformedInput"},
		"not a boolean":               {config{extra: "<Staging>yes</Staging>"}, 400, "MalformedInput"},
		"not a number":                {config{origins: []string{strings.Replace(vpcOriginElement("x", own, ""), "<VpcOriginId>", "<OriginReadTimeout>soon</OriginReadTimeout><VpcOriginId>", 1)}}, 400, "MalformedInput"},
		"not in the enumeration":      {config{extra: "<PriceClass>cheap</PriceClass>"}, 400, "InvalidArgument"},
		"required member missing":     {config{extra: "<Restrictions></Restrictions>"}, 400, "MalformedXML"},
		"quantity and items differ":   {config{extra: "<OriginGroups><Quantity>1</Quantity></OriginGroups>"}, 400, "InconsistentQuantities"},
		"empty items":                 {config{extra: "<OriginGroups><Quantity>0</Quantity><Items></Items></OriginGroups>"}, 400, "MalformedInput"},
		"behavior to no origin":       {config{behaviors: []string{behavior("/a/*", "gone", "")}}, 404, "NoSuchOrigin"},
		"origin id twice":             {config{origins: []string{vpcOriginElement("x", own, ""), vpcOriginElement("x", own, "")}}, 400, "InvalidArgument"},
		"path pattern twice":          {config{behaviors: []string{behavior("/a/*", "placeholder", ""), behavior("a/*", "placeholder", "")}}, 400, "InvalidArgument"},
		"read timeout out of range":   {config{origins: []string{strings.Replace(vpcOriginElement("x", own, ""), "<VpcOriginId>", "<OriginReadTimeout>121</OriginReadTimeout><VpcOriginId>", 1)}}, 400, "InvalidOriginReadTimeout"},
		"unknown cache policy":        {config{behaviors: []string{strings.Replace(behavior("/a", "placeholder", ""), cachingDisabled, "x", 1)}}, 404, "NoSuchCachePolicy"},
		"unknown request policy":      {config{behaviors: []string{strings.Replace(behavior("/a", "placeholder", ""), allViewer, "x", 1)}}, 404, "NoSuchOriginRequestPolicy"},
		"unknown headers policy":      {config{behaviors: []string{behavior("/a", "placeholder", "<ResponseHeadersPolicyId>x</ResponseHeadersPolicyId>")}}, 404, "NoSuchResponseHeadersPolicy"},
		"policy and forwarded values": {config{behaviors: []string{behavior("/a", "placeholder", "<ForwardedValues><Cookies><Forward>none</Forward></Cookies><QueryString>false</QueryString></ForwardedValues>")}}, 400, "InvalidArgument"},
		"odd set of methods":          {config{behaviors: []string{behavior("/a", "placeholder", items("AllowedMethods", "Method", []string{"GET", "PUT"}))}}, 400, "InvalidArgument"},
		"function that is not there":  {config{functions: function("viewer-request", "arn:aws:cloudfront::"+hub+":function/none")}, 400, "InvalidFunctionAssociation"},
		"function not published":      {config{functions: function("viewer-request", unpublished)}, 400, "InvalidFunctionAssociation"},
		"function of another account": {config{functions: function("viewer-request", foreign)}, 400, "InvalidFunctionAssociation"},
		"function at the origin":      {config{functions: function("origin-request", unpublished)}, 400, "InvalidFunctionAssociation"},
		"lambda at a VPC origin":      {config{origins: []string{vpcOriginElement("x", own, "")}, behaviors: []string{behavior("/a", "x", rawItems("LambdaFunctionAssociations", []string{"<LambdaFunctionAssociation><EventType>origin-request</EventType><LambdaFunctionARN>l</LambdaFunctionARN></LambdaFunctionAssociation>"}))}}, 400, "InvalidLambdaFunctionAssociation"},
		"aliases without certificate": {config{aliases: []string{"a.example.com"}, noCertificate: true}, 400, "InvalidViewerCertificate"},
		"certificate of elsewhere":    {config{aliases: []string{"a.example.com"}, noCertificate: true, extra: "<ViewerCertificate><ACMCertificateArn>arn:aws:acm:eu-west-1:100000000000:certificate/1</ACMCertificateArn><SSLSupportMethod>sni-only</SSLSupportMethod></ViewerCertificate>"}, 400, "InvalidViewerCertificate"},
		"alias in capitals":           {config{aliases: []string{"A.example.com"}}, 400, "InvalidArgument"},
		"alias of another account":    {config{aliases: []string{"taken.example.com"}}, 409, "CNAMEAlreadyExists"},
		"wildcard above an alias":     {config{aliases: []string{"*.example.com"}}, 0, ""},
		"100 aliases":                 {config{aliases: repeat(100, func(i int) string { return fmt.Sprintf("a%d.example.com", i) })}, 0, ""},
		"101 aliases":                 {config{aliases: repeat(101, func(i int) string { return fmt.Sprintf("a%d.example.com", i) })}, 400, "TooManyDistributionCNAMEs"},
		"75 behaviors":                {config{behaviors: repeat(75, func(i int) string { return behavior(fmt.Sprintf("/%d", i), "placeholder", "") })}, 0, ""},
		"76 behaviors":                {config{behaviors: repeat(76, func(i int) string { return behavior(fmt.Sprintf("/%d", i), "placeholder", "") })}, 400, "TooManyCacheBehaviors"},
		"100 origins":                 {config{origins: repeat(99, func(i int) string { return vpcOriginElement(fmt.Sprint(i), own, "") })}, 0, ""},
		"101 origins":                 {config{origins: repeat(100, func(i int) string { return vpcOriginElement(fmt.Sprint(i), own, "") })}, 400, "TooManyOrigins"},
		"unknown VPC origin":          {config{origins: []string{vpcOriginElement("x", "vo_none", "")}}, 404, "EntityNotFound"},
		"own VPC origin, wrong owner": {config{origins: []string{vpcOriginElement("x", own, teamA)}}, 404, "EntityNotFound"},
		"own VPC origin, owner given": {config{origins: []string{vpcOriginElement("x", own, hub)}}, 0, ""},
		"two kinds of origin":         {config{origins: []string{strings.Replace(vpcOriginElement("x", own, ""), "</Origin>", "<S3OriginConfig><OriginAccessIdentity/></S3OriginConfig></Origin>", 1)}}, 400, "InvalidArgument"},
	}
	id := w.distribution(hub, config{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before, _ := w.get(hub, id)
			err := w.update(hub, id, test.config)
			if test.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused(t, err, test.status, test.code)
			if after, _ := w.get(hub, id); after != before {
				t.Error("a refused update changed the distribution")
			}
			test.config.reference = "another"
			_, err = w.create(hub, test.config)
			refused(t, err, test.status, test.code)
		})
	}
}

func TestAssumption_CF_34_AliasesOfAStagingDistribution(t *testing.T) {
	w := newWorld(t)
	staging := config{extra: "<Staging>true</Staging>"}
	id := w.distribution(hub, staging)
	staging.aliases = []string{"a.example.com"}
	refused(t, w.update(hub, id, staging), 400, "InvalidArgument")
	staging.reference = "another"
	_, err := w.create(hub, staging)
	refused(t, err, 400, "InvalidArgument")
}

func TestAssumption_CF_35_MultiTenantDistribution(t *testing.T) {
	const mode = "<ConnectionMode>tenant-only</ConnectionMode>"
	w := newWorld(t)
	id := w.distribution(hub, config{extra: mode + "<PriceClass>None</PriceClass><IsIPV6Enabled>false</IsIPV6Enabled>"})
	for name, test := range map[string]config{
		"aliases":                      {extra: mode, aliases: []string{"a.example.com"}},
		"staging":                      {extra: mode + "<Staging>true</Staging>"},
		"continuous deployment policy": {extra: mode + "<ContinuousDeploymentPolicyId>x</ContinuousDeploymentPolicyId>"},
		"price class":                  {extra: mode + "<PriceClass>PriceClass_All</PriceClass>"},
		"IPv6":                         {extra: mode + "<IsIPV6Enabled>true</IsIPV6Enabled>"},
		"legacy logging":               {extra: mode + "<Logging><Enabled>true</Enabled><Bucket>b</Bucket></Logging>"},
		"dedicated IP addresses": {extra: mode + "<ViewerCertificate><ACMCertificateArn>" + certificate +
			"</ACMCertificateArn><SSLSupportMethod>vip</SSLSupportMethod></ViewerCertificate>"},
		"smooth streaming":  {extra: mode, behaviors: []string{behavior("/a", "placeholder", "<SmoothStreaming>true</SmoothStreaming>")}},
		"TTL in a behavior": {extra: mode, functions: "<MinTTL>1</MinTTL>"},
		"origin access identity": {extra: mode, origins: []string{"<Origin><Id>s3</Id><DomainName>b.s3.amazonaws.com</DomainName>" +
			"<S3OriginConfig><OriginAccessIdentity>origin-access-identity/cloudfront/E</OriginAccessIdentity></S3OriginConfig></Origin>"}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, w.update(hub, id, test), 400, "InvalidArgument") })
	}
	direct := config{reference: "direct", extra: "<TenantConfig></TenantConfig>"}
	_, err := w.create(hub, direct)
	refused(t, err, 400, "InvalidArgument")
}

func TestMalformedDocuments(t *testing.T) {
	w := newWorld(t)
	good := string(config{}.xml())
	for name, document := range map[string]string{
		"empty":            "",
		"not XML":          "<DistributionConfig",
		"another root":     strings.ReplaceAll(good, "DistributionConfig", "Config"),
		"prefixed":         strings.Replace(good, "xmlns=", "xmlns:cf=", 1),
		"text in between":  strings.Replace(good, "<Comment>", "oops<Comment>", 1),
		"elements in text": strings.Replace(good, "<Enabled>true", "<Enabled><Yes/>", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call[cloudfront.DistributionOutput](w, hub, "CreateDistribution",
				&cloudfront.CreateDistributionInput{DistributionConfig: cloud.RawXML(document)})
			refused(t, err, 400, "MalformedInput")
		})
	}
}

// The schema knows every element that the SDK can write.
func TestSchemaCoversTheSDK(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/cloudfront").Output()
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "request_snapshot", "CreateDistribution.request.snap"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(golden), "\n\n<")
	// The golden request has two items in each list and counts one. With that fixed it is well-formed, and refused only
	// for what it says: an origin of all kinds at once.
	w := newWorld(t)
	_, err = call[cloudfront.DistributionOutput](w, hub, "CreateDistribution",
		&cloudfront.CreateDistributionInput{DistributionConfig: cloud.RawXML("<" + strings.ReplaceAll(body, "<Quantity>1<", "<Quantity>2<"))})
	refused(t, err, 400, "InvalidArgument")
	if !strings.Contains(err.Error(), "exactly one of") {
		t.Errorf("the golden request fails its schema: %v", err)
	}
}

func TestAssumption_CF_01_IfMatch(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{})
	etag, _ := w.get(hub, id)
	for name, test := range map[string]struct {
		ifMatch string
		status  int
		code    string
	}{
		"missing": {"", 400, "InvalidIfMatchVersion"}, "no ETag": {"*", 400, "InvalidIfMatchVersion"},
		"stale": {"E1234567890ABC", 412, "PreconditionFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call[cloudfront.DistributionOutput](w, hub, "UpdateDistribution",
				&cloudfront.UpdateDistributionInput{ID: id, IfMatch: test.ifMatch, DistributionConfig: config{}.xml()})
			refused(t, err, test.status, test.code)
			_, err = call[cloudfront.Empty](w, hub, "DeleteDistribution", &cloudfront.DeleteDistributionInput{ID: id, IfMatch: test.ifMatch})
			refused(t, err, test.status, test.code)
		})
	}
	if after, _ := w.get(hub, id); after != etag {
		t.Error("the ETag moved")
	}
}

func TestEditBetweenReadAndWrite(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{})
	edits := 2
	w.Faults.OnCall(func(c *cloud.Call) *cloud.Fault {
		if c.Operation.Name != "UpdateDistribution" || edits == 0 {
			return nil
		}
		edits--
		return &cloud.Fault{Name: "foreign-edit", Before: w.cf.ForeignEditHook}
	})
	for range 2 {
		refused(t, w.update(hub, id, config{comment: "stale"}), 412, "PreconditionFailed")
	}
	if err := w.update(hub, id, config{comment: "fresh"}); err != nil {
		t.Fatal(err)
	}
}

// Updates reach the slowest edge in order, however long each takes, and the distribution is Deployed when the last one has. CF-04
func TestPropagationsEndInOrder(t *testing.T) {
	w := newWorld(t)
	takes := []time.Duration{10 * time.Minute, 30 * time.Minute, time.Minute}
	w.cf.KeepPast = true
	w.cf.Propagation = func() (next time.Duration) {
		next, takes = takes[0], takes[1:]
		return next
	}
	id, began := w.distribution(hub, config{comment: "first"}), w.Clock.Now()
	for _, comment := range []string{"second", "third"} {
		w.Clock.Advance(time.Minute)
		if err := w.update(hub, id, config{comment: comment}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		at     time.Duration
		status string
		serves string
	}{
		{9 * time.Minute, "InProgress", ""},
		{10 * time.Minute, "InProgress", "first"},
		{30 * time.Minute, "InProgress", "first"},
		{31 * time.Minute, "Deployed", "third"},
	} {
		w.Clock.Advance(began.Add(step.at).Sub(w.Clock.Now()))
		_, status := w.get(hub, id)
		serves := string(w.cf.ServedAt(id, w.Clock.Now()))
		if status != step.status || (step.serves == "") != (serves == "") || !strings.Contains(serves, step.serves) {
			t.Errorf("after %v: %s, and edges serve %s", step.at, status, serves)
		}
	}
	if serves := string(w.cf.ServedAt(id, began.Add(20*time.Minute))); !strings.Contains(serves, "first") {
		t.Errorf("20 minutes after the beginning edges served %s", serves)
	}
}

func TestAssumption_CF_41_UpdatesAreThrottledPerAccount(t *testing.T) {
	w := newWorld(t)
	w.cf.UpdatesPerMinute = 2
	first, second, others := w.distribution(hub, config{}), w.distribution(hub, config{reference: "second"}), w.distribution(teamA, config{})
	for _, step := range []struct {
		account, id string
		advance     time.Duration
		want        string
	}{
		{hub, first, 0, ""},
		{hub, second, 30 * time.Second, ""},
		{hub, second, 29 * time.Second, "Throttling"}, // a third one, of whichever distribution
		{hub, first, 0, "Throttling"},
		{teamA, others, 0, ""},
		{hub, first, time.Second, ""}, // what was throttled does not count
		{hub, second, 29 * time.Second, "Throttling"},
		{hub, second, time.Second, ""},
	} {
		w.Clock.Advance(step.advance)
		c := config{comment: "changed"}
		if step.id == second {
			c.reference = "second"
		}
		switch err := w.update(step.account, step.id, c); {
		case step.want != "":
			refused(t, err, 400, step.want)
		case err != nil:
			t.Errorf("%s at %v: %v", step.id, w.Clock.Now(), err)
		}
	}
}

func TestAssumption_CF_04_Deployment(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{})
	steps := []struct {
		update  bool
		advance time.Duration
		want    string
	}{
		{false, 299 * time.Second, "InProgress"},
		{false, time.Second, "Deployed"},
		{true, 200 * time.Second, "InProgress"},
		{true, 200 * time.Second, "InProgress"},
		{false, 100 * time.Second, "Deployed"},
	}
	for i, step := range steps {
		if step.update {
			if err := w.update(hub, id, config{comment: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		w.Clock.Advance(step.advance)
		if _, got := w.get(hub, id); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	if w.Clock.Busy() {
		t.Error("busy after the last deployment")
	}
}

// CF-30 is the time that an update takes to reach an edge.
func TestAssumption_CF_05_EdgesFollowInOrder(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{comment: "0"})
	served := func() (comment string) {
		w.Do(func() { comment = w.cf.Served()[0].Config.Value("Comment") })
		return comment
	}
	if got := served(); got != "" {
		t.Fatalf("served %q before the first deployment", got)
	}
	w.Clock.Advance(5 * minute)
	for i, want := range []string{"0", "0", "1", "2", "3"} {
		if err := w.update(hub, id, config{comment: fmt.Sprint(i + 1)}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(149 * time.Second)
		if got := served(); got != want {
			t.Errorf("after update %d: served %q, want %q", i+1, got, want)
		}
		w.Clock.Advance(time.Second)
	}
}

func TestAssumption_CF_06_Deletion(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{})
	remove := func() error {
		etag, _ := w.get(hub, id)
		_, err := call[cloudfront.Empty](w, hub, "DeleteDistribution", &cloudfront.DeleteDistributionInput{ID: id, IfMatch: etag})
		return err
	}
	w.Clock.Advance(5 * minute)
	refused(t, remove(), 409, "DistributionNotDisabled")
	if err := w.update(hub, id, config{disabled: true}); err != nil {
		t.Fatal(err)
	}
	refused(t, remove(), 409, "DistributionNotDisabled")
	w.Clock.Advance(5 * minute)
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	_, err := call[cloudfront.DistributionOutput](w, hub, "GetDistribution", &cloudfront.DistributionID{ID: id})
	refused(t, err, 404, "NoSuchDistribution")
}

func TestAssumption_CF_07_CallerReference(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{reference: "one"})
	_, err := w.create(hub, config{reference: "one", comment: "another"})
	refused(t, err, 409, "DistributionAlreadyExists")
	if !strings.Contains(err.Error(), id) {
		t.Errorf("%v does not name %s", err, id)
	}
	if _, err := w.create(teamA, config{reference: "one"}); err != nil {
		t.Errorf("another account: %v", err)
	}
	refused(t, w.update(hub, id, config{reference: "two"}), 400, "IllegalUpdate")
}

func TestAssumption_CF_27_CallerReferenceAfterDeletion(t *testing.T) {
	w := newWorld(t)
	one := config{reference: "one", aliases: []string{"a.example.com"}, disabled: true}
	id := w.distribution(hub, one)
	w.Clock.Advance(5 * minute)
	before := must[cloudfront.DistributionOutput](w, hub, "GetDistribution", &cloudfront.DistributionID{ID: id})
	must[cloudfront.Empty](w, hub, "DeleteDistribution", &cloudfront.DeleteDistributionInput{ID: id, IfMatch: before.ETag})
	again, err := w.create(hub, one)
	if err != nil {
		t.Fatal(err)
	}
	domain := regexp.MustCompile(`<DomainName>d[^<]*[.]cloudfront[.]net</DomainName>`)
	if was, is := domain.FindString(string(before.Distribution)), domain.FindString(string(again.Distribution)); was == "" || is == "" || was == is {
		t.Errorf("domain names before and after: %q, %q", was, is)
	}
}

func TestAssumption_CF_08_Aliases(t *testing.T) {
	w := newWorld(t)
	aliases := config{aliases: []string{"a.example.com"}}
	first := w.distribution(hub, aliases)
	_, err := w.create(teamA, aliases)
	refused(t, err, 409, "CNAMEAlreadyExists")
	second := w.distribution(teamA, config{aliases: []string{"*.example.com"}})
	out := must[cloudfront.ListConflictingAliasesOutput](w, teamA, "ListConflictingAliases",
		&cloudfront.ListConflictingAliasesInput{DistributionID: second, Alias: "a.example.com"})
	if l := out.ConflictingAliasesList; l.Quantity != 1 || l.Items[0].AccountID != "******000000" || !strings.HasSuffix(first, strings.Trim(l.Items[0].DistributionID, "*")) {
		t.Errorf("conflicts: %+v", l)
	}
	if err := w.update(hub, first, config{}); err != nil {
		t.Fatal(err)
	}
	if err := w.update(teamA, second, aliases); err != nil {
		t.Errorf("after the alias was given up: %v", err)
	}
}

func TestAssumption_CF_17_UnknownElement(t *testing.T) {
	w := newWorld(t)
	future := config{origins: []string{
		strings.Replace(vpcOriginElement("x", w.origin(hub, "own").ID, ""), "<VpcOriginConfig>", "<VpcOriginConfig><Teleport/>", 1),
	}}
	_, err := w.create(hub, future)
	refused(t, err, 400, "MalformedInput")
	if !strings.Contains(err.Error(), "Origins/Items/Origin/VpcOriginConfig/Teleport") {
		t.Errorf("%v does not name the element", err)
	}
	w.cf.FutureFields = []string{"Origins/Items/Origin/VpcOriginConfig/Teleport"}
	if _, err := w.create(hub, future); err != nil {
		t.Error(err)
	}
}

func TestAssumption_CF_18_EmptyItems(t *testing.T) {
	w := newWorld(t)
	_, err := w.create(hub, config{extra: "<OriginGroups><Quantity>0</Quantity><Items/></OriginGroups>"})
	refused(t, err, 400, "MalformedInput")
	if !strings.Contains(err.Error(), "Unexpected list element termination") {
		t.Error(err)
	}
}

func TestAssumption_CF_19_KindsOfOrigin(t *testing.T) {
	w := newWorld(t)
	_, err := w.create(hub, config{origins: []string{"<Origin><Id>x</Id><DomainName>x</DomainName></Origin>"}})
	refused(t, err, 400, "InvalidArgument")
}

func TestAssumption_CF_20_DistributionsPerVpcOrigin(t *testing.T) {
	w := newWorld(t)
	o := w.origin(hub, "own")
	for i := range 50 {
		w.distribution(hub, config{reference: fmt.Sprint(i), origins: []string{vpcOriginElement("x", o.ID, "")}})
	}
	_, err := w.create(hub, config{origins: []string{vpcOriginElement("x", o.ID, "")}})
	refused(t, err, 400, "EntityLimitExceeded")
}

func TestAssumption_CF_21_CertificateNames(t *testing.T) {
	w := newWorld(t)
	if _, err := w.create(hub, config{aliases: []string{"uncovered.example.org"}}); err != nil {
		t.Error(err)
	}
}

func TestDistributionPages(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.distribution(hub, config{reference: fmt.Sprint(i)})
	}
	w.distribution(teamA, config{})
	seen, marker := 0, ""
	for pages := 0; ; pages++ {
		out := string(must[cloudfront.ListDistributionsOutput](w, hub, "ListDistributions",
			&cloudfront.ListDistributionsInput{Marker: marker, MaxItems: 3}).DistributionList)
		seen += strings.Count(out, "<DistributionSummary>")
		_, rest, more := strings.Cut(out, "<NextMarker>")
		if !more {
			if pages != 2 || seen != 7 {
				t.Errorf("%d pages with %d distributions", pages+1, seen)
			}
			return
		}
		marker, _, _ = strings.Cut(rest, "<")
	}
}

func TestDistributionOfAnotherAccountIsOutOfReach(t *testing.T) {
	w := newWorld(t)
	id := w.distribution(hub, config{})
	_, err := call[cloudfront.DistributionConfigOutput](w, teamA, "GetDistributionConfig", &cloudfront.DistributionID{ID: id})
	refused(t, err, 403, "AccessDenied")
	etag, _ := w.get(hub, id)
	_, err = call[cloudfront.DistributionOutput](w, teamA, "UpdateDistribution",
		&cloudfront.UpdateDistributionInput{ID: id, IfMatch: etag, DistributionConfig: config{}.xml()})
	refused(t, err, 403, "AccessDenied")
}

func TestCreateWithTags(t *testing.T) {
	w := newWorld(t)
	body := "<DistributionConfigWithTags " + namespace + ">" + strings.Replace(string(config{}.xml()), " "+namespace, "", 1) +
		"<Tags><Items><Tag><Key>team</Key><Value>hub</Value></Tag></Items></Tags></DistributionConfigWithTags>"
	out := must[cloudfront.DistributionOutput](w, hub, "CreateDistributionWithTags",
		&cloudfront.CreateDistributionWithTagsInput{DistributionConfigWithTags: cloud.RawXML(body)})
	id := out.Location[strings.LastIndex(out.Location, "/")+1:]
	tags := must[cloudfront.ListTagsForResourceOutput](w, hub, "ListTagsForResource",
		&cloudfront.ListTagsForResourceInput{Resource: "arn:aws:cloudfront::" + hub + ":distribution/" + id})
	if len(tags.Tags.Items) != 1 || tags.Tags.Items[0] != (cloudfront.Tag{Key: "team", Value: "hub"}) {
		t.Errorf("tags %+v", tags.Tags.Items)
	}
}

// denying is an authorizer that allows every action except one.
type denying string

func (d denying) Authorize(r cloud.Request) cloud.Decision {
	return cloud.Decision{Allowed: r.Action != string(d)}
}

func TestAssumption_CF_39_PermissionsOnParts(t *testing.T) {
	w := newWorld(t)
	logging := "<Logging><Enabled>true</Enabled><Bucket>logs.s3.amazonaws.com</Bucket></Logging>"
	function := "<LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation><LambdaFunctionARN>arn:aws:lambda:us-east-1:" + hub +
		":function:auth:1</LambdaFunctionARN><EventType>viewer-request</EventType></LambdaFunctionAssociation></Items></LambdaFunctionAssociations>"
	plain := w.distribution(hub, config{reference: "plain"})
	id := w.distribution(hub, config{extra: logging, functions: function})
	for _, action := range []string{"s3:GetBucketAcl", "s3:PutBucketAcl", "lambda:GetFunction", "lambda:EnableReplication*", "lambda:DisableReplication*"} {
		w.Authorizer = denying(action)
		refused(t, w.update(hub, id, config{extra: logging, functions: function}), 403, "AccessDenied")
		_, err := w.create(hub, config{reference: action, extra: logging, functions: function})
		refused(t, err, 403, "AccessDenied")
		if err := w.update(hub, plain, config{reference: "plain"}); err != nil {
			t.Errorf("without %s: %v", action, err)
		}
	}
}

func TestAssumption_CF_38_ConflictingAliases(t *testing.T) {
	w := newWorld(t)
	first := w.distribution(hub, config{reference: "1", aliases: []string{"a.example.com"}})
	bare := w.distribution(hub, config{reference: "2"})
	second := w.distribution(hub, config{reference: "3", aliases: []string{"b.example.com"}})
	list := func(id string) (*cloudfront.ListConflictingAliasesOutput, error) {
		return call[cloudfront.ListConflictingAliasesOutput](w, hub, "ListConflictingAliases", &cloudfront.ListConflictingAliasesInput{DistributionID: id, Alias: "a.example.com"})
	}
	_, err := list(bare)
	refused(t, err, 400, "InvalidArgument")
	out, err := list(second)
	if err != nil {
		t.Fatal(err)
	}
	if i := out.ConflictingAliasesList.Items; len(i) != 1 || i[0].AccountID != "******000000" || i[0].DistributionID != strings.Repeat("*", len(first)-6)+first[len(first)-6:] {
		t.Errorf("%+v", i)
	}
	w.Authorizer = denying("cloudfront:GetDistribution")
	_, err = list(second)
	refused(t, err, 403, "AccessDenied")
}
