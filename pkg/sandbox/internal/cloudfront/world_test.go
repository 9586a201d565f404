package cloudfront_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

const (
	hub      = "100000000000"
	teamA    = "111111111111"
	teamB    = "222222222222"
	stranger = "999999999999"

	certificate     = "arn:aws:acm:us-east-1:100000000000:certificate/1"
	cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	allViewer       = "216adef6-5c7f-47e4-b989-5492eafa07d3"
	namespace       = `xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"`
)

// world is a CloudFront with a RAM that shares what shared says.
type world struct {
	*testing.T
	*cloud.World
	cf     *cloudfront.Service
	shared map[string]bool // "<arn> <account>"
}

func (w *world) SharedWith(arn, account string) bool { return w.shared[arn+" "+account] }

func newWorld(t *testing.T) *world {
	w := &world{T: t, World: cloud.New(cloud.Options{Seed: 1}), shared: map[string]bool{}}
	w.cf = cloudfront.New(w.World)
	w.Register(w.cf.API())
	w.Sharing = w
	return w
}

func (w *world) share(arn, account string) { w.shared[arn+" "+account] = true }

func call[O any](w *world, account, operation string, in any) (*O, error) {
	out, err := w.Invoke(cloud.Root(account), "eu-west-1", "cloudfront", operation, in)
	if err != nil {
		return nil, err
	}
	return out.(*O), nil
}

func must[O any](w *world, account, operation string, in any) *O {
	w.Helper()
	out, err := call[O](w, account, operation, in)
	if err != nil {
		w.Fatalf("%s: %v", operation, err)
	}
	return out
}

// refused asserts the code and status of a refusal.
func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want %s", code)
	}
	if e := cloud.AsError(err); e.Code != code || e.Status != status {
		t.Fatalf("got %d %v, want %d %s", e.Status, e, status, code)
	}
}

func balancer(account, name string) string {
	return "arn:aws:elasticloadbalancing:eu-west-1:" + account + ":loadbalancer/app/" + name + "/0123456789abcdef"
}

func endpoint(account, name string) *cloudfront.EndpointConfig {
	return &cloudfront.EndpointConfig{
		Name: name, Arn: balancer(account, name), HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "https-only",
	}
}

func tagSet(pairs ...string) *cloudfront.Tags {
	t := &cloudfront.Tags{}
	for i := 0; i < len(pairs); i += 2 {
		t.Items = append(t.Items, cloudfront.Tag{Key: pairs[i], Value: pairs[i+1]})
	}
	return t
}

// origin makes a VPC origin and lets it be Deployed.
func (w *world) origin(account, name string, tags ...string) *cloudfront.VpcOrigin {
	w.Helper()
	out := must[cloudfront.VpcOriginOutput](w, account, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: endpoint(account, name), Tags: tagSet(tags...),
	})
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	return out.VpcOrigin
}

func (w *world) getOrigin(account, id string) *cloudfront.VpcOriginOutput {
	w.Helper()
	return must[cloudfront.VpcOriginOutput](w, account, "GetVpcOrigin", &cloudfront.VpcOriginID{ID: id})
}

// config writes a DistributionConfig.
type config struct {
	reference, comment string
	disabled           bool
	aliases            []string
	noCertificate      bool
	origins            []string // whole Origin elements beside the placeholder
	behaviors          []string // whole CacheBehavior elements
	functions          string   // inside DefaultCacheBehavior
	extra              string   // at the end of the root
}

func (c config) xml() cloud.RawXML {
	if c.reference == "" {
		c.reference = "main"
	}
	var aliases, viewer string
	if len(c.aliases) > 0 {
		aliases = items("Aliases", "CNAME", c.aliases)
		if !c.noCertificate {
			viewer = "<ViewerCertificate><ACMCertificateArn>" + certificate + "</ACMCertificateArn>" +
				"<SSLSupportMethod>sni-only</SSLSupportMethod></ViewerCertificate>"
		}
	}
	placeholder := `<Origin><Id>placeholder</Id><DomainName>placeholder.invalid</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort>` +
		`<HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>https-only</OriginProtocolPolicy></CustomOriginConfig></Origin>`
	origins := append([]string{placeholder}, c.origins...)
	return cloud.RawXML(fmt.Sprintf(`<DistributionConfig %s><CallerReference>%s</CallerReference>%s<Comment>%s</Comment>`+
		`<DefaultCacheBehavior><TargetOriginId>placeholder</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy>`+
		`<CachePolicyId>%s</CachePolicyId>%s</DefaultCacheBehavior>%s<Enabled>%t</Enabled>%s%s%s</DistributionConfig>`,
		namespace, c.reference, aliases, c.comment, cachingDisabled, c.functions, rawItems("CacheBehaviors", c.behaviors), !c.disabled,
		rawItems("Origins", origins), viewer, c.extra))
}

func items(list, item string, texts []string) string {
	var all []string
	for _, t := range texts {
		all = append(all, "<"+item+">"+t+"</"+item+">")
	}
	return rawItems(list, all)
}

func rawItems(list string, elements []string) string {
	if len(elements) == 0 {
		return "<" + list + "><Quantity>0</Quantity></" + list + ">"
	}
	return fmt.Sprintf("<%s><Quantity>%d</Quantity><Items>%s</Items></%s>", list, len(elements), strings.Join(elements, ""), list)
}

func vpcOriginElement(id, vpcOrigin, owner string) string {
	if owner != "" {
		owner = "<OwnerAccountId>" + owner + "</OwnerAccountId>"
	}
	return "<Origin><Id>" + id + "</Id><DomainName>" + id + ".internal</DomainName><VpcOriginConfig>" + owner +
		"<VpcOriginId>" + vpcOrigin + "</VpcOriginId></VpcOriginConfig></Origin>"
}

func behavior(pattern, target, extra string) string {
	return "<CacheBehavior><PathPattern>" + pattern + "</PathPattern><TargetOriginId>" + target + "</TargetOriginId>" +
		"<ViewerProtocolPolicy>https-only</ViewerProtocolPolicy><CachePolicyId>" + cachingDisabled + "</CachePolicyId>" +
		"<OriginRequestPolicyId>" + allViewer + "</OriginRequestPolicyId>" + extra + "</CacheBehavior>"
}

func function(event, arn string) string {
	return rawItems("FunctionAssociations", []string{
		"<FunctionAssociation><EventType>" + event + "</EventType><FunctionARN>" + arn + "</FunctionARN></FunctionAssociation>",
	})
}

func (w *world) create(account string, c config) (*cloudfront.DistributionOutput, error) {
	return call[cloudfront.DistributionOutput](w, account, "CreateDistribution", &cloudfront.CreateDistributionInput{DistributionConfig: c.xml()})
}

// distribution makes a distribution and answers its id.
func (w *world) distribution(account string, c config) string {
	w.Helper()
	out, err := w.create(account, c)
	if err != nil {
		w.Fatal(err)
	}
	return out.Location[strings.LastIndex(out.Location, "/")+1:]
}

func (w *world) get(account, id string) (etag, status string) {
	w.Helper()
	out := must[cloudfront.DistributionOutput](w, account, "GetDistribution", &cloudfront.DistributionID{ID: id})
	_, rest, _ := strings.Cut(string(out.Distribution), "<Status>")
	status, _, _ = strings.Cut(rest, "<")
	return out.ETag, status
}

func (w *world) update(account, id string, c config) error {
	etag, _ := w.get(account, id)
	_, err := call[cloudfront.DistributionOutput](w, account, "UpdateDistribution", &cloudfront.UpdateDistributionInput{
		ID: id, IfMatch: etag, DistributionConfig: c.xml(),
	})
	return err
}

func (w *world) publish(account, name, code string) (arn string) {
	w.Helper()
	out := must[cloudfront.FunctionOutput](w, account, "CreateFunction", &cloudfront.CreateFunctionInput{
		Name: name, FunctionConfig: &cloudfront.FunctionConfig{Runtime: "cloudfront-js-2.0"},
		FunctionCode: base64.StdEncoding.EncodeToString([]byte(code)),
	})
	must[cloudfront.FunctionOutput](w, account, "PublishFunction", &cloudfront.FunctionVersionInput{Name: name, IfMatch: out.ETag})
	return out.FunctionSummary.FunctionMetadata.FunctionARN
}

func repeat(n int, each func(i int) string) []string {
	return slices.Collect(func(yield func(string) bool) {
		for i := range n {
			if !yield(each(i)) {
				return
			}
		}
	})
}

const minute = time.Minute
