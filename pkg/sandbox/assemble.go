package sandbox

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/acm"
	"github.com/originhub/originhub/pkg/sandbox/internal/apigateway"
	"github.com/originhub/originhub/pkg/sandbox/internal/cfn"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudtrail"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudwatch"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudwatchlogs"
	"github.com/originhub/originhub/pkg/sandbox/internal/dynamodb"
	"github.com/originhub/originhub/pkg/sandbox/internal/edge"
	"github.com/originhub/originhub/pkg/sandbox/internal/events"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/kms"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
	"github.com/originhub/originhub/pkg/sandbox/internal/ram"
	"github.com/originhub/originhub/pkg/sandbox/internal/route53"
	"github.com/originhub/originhub/pkg/sandbox/internal/servicequotas"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
	"github.com/originhub/originhub/pkg/sandbox/internal/states"
	"github.com/originhub/originhub/pkg/sandbox/internal/sts"
	"github.com/originhub/originhub/pkg/sandbox/internal/tagging"
)

// services are the parts of a sandbox, wired together.
type services struct {
	iam        *iam.Service
	cloudfront *cloudfront.Service
	quotas     *servicequotas.Service
	network    *network.Service
	lambda     *lambda.Service
	states     *states.Service
	acm        *acm.Service
	events     *events.Service
	cfn        *cfn.Service
	edge       *edge.Edge
	// parts has all services by name.
	parts map[string]part
}

// part is what the sandbox needs of every emulated service.
type part interface {
	API() *cloud.Service
	ResourceTypes() []cloud.ResourceType
	Snapshot(account string) map[string]any
}

// assemble creates all services and connects each to the services that it needs. near and endpoint lead to the front door, which
// exists when functions run.
func assemble(w *cloud.World, o Options, assets *assets, near http.RoundTripper, endpoint func() string) *services {
	s := &services{iam: iam.New(w), cloudfront: cloudfront.New(w), quotas: servicequotas.New()}
	s.cloudfront.FutureFields, s.cloudfront.Quota, s.cloudfront.UpdatesPerMinute = o.FutureFields, s.quotas.Value, o.UpdatesPerMinute
	s.cloudfront.OmitsShared = o.OmitsSharedOrigins
	if p := o.Propagation; p.Longest > 0 {
		random := rand.New(rand.NewPCG(o.Seed, 0x70726f706167))
		s.cloudfront.KeepPast = true
		s.cloudfront.Propagation = func() time.Duration {
			return p.Shortest + time.Duration(random.Int64N(int64((p.Longest-p.Shortest)/time.Second)+1))*time.Second
		}
	}
	w.Authorizer = s.iam
	keys := kms.New(w)
	w.Keys = keys
	shares := ram.New(w)
	shares.Exists = s.vpcOriginExists
	w.Sharing = shares
	s.network = network.New(w, s.cloudfront)
	s.events = events.New(w, s.iam)
	w.Emit = s.events.Emit
	queues := sqs.New(w)
	watch := cloudwatch.New(w, queues.Samples)
	w.Measure = watch.Measure
	s.lambda = lambda.New(w, queues, s.iam, lambda.Options{
		Endpoint: endpoint, LogWriter: o.LogWriter, Line: watch.Line, Starter: o.Handlers, Transport: near,
	})
	w.Kill = s.lambda.Kill
	s.states = states.New(w, s.iam, invoker(w))
	apis := s.private(w)
	s.edge = edge.New(w, s.cloudfront, s.network.Balancing(), apis)
	s.edge.FunctionsFirst = o.FunctionsFirst
	zones := route53.New(w)
	for _, z := range o.Zones {
		zones.CreateZone(z.Account, z.ID, z.Name)
	}
	s.parts = map[string]part{
		"iam": s.iam, "sqs": queues, "sts": sts.New(w, s.iam), "cloudfront": s.cloudfront, "ram": shares,
		"ec2": s.network, "elasticloadbalancing": s.network.Balancing(),
		"acm": s.acm, "apigateway": apis,
		"lambda": s.lambda, "states": s.states, "dynamodb": dynamodb.New(w), "events": s.events,
		"route53": zones, "kms": keys, "servicequotas": s.quotas, "sns": sns.New(w), "cloudwatch": watch,
		"logs": cloudwatchlogs.New(s.lambda.LogGroups), "cloudtrail": cloudtrail.New(w),
		"tagging": tagging.New(s.cloudfront),
	}
	var types []cloud.ResourceType
	for _, name := range slices.Sorted(maps.Keys(s.parts)) {
		w.Register(s.parts[name].API())
		types = append(types, s.parts[name].ResourceTypes()...)
	}
	s.cfn = cfn.New(w, types, assets.find)
	w.Register(s.cfn.API())
	return s
}

// private creates the services behind a load balancer: private APIs, and the certificates of both.
func (s *services) private(w *cloud.World) *apigateway.Service {
	s.acm = acm.New(w)
	apis, balancing := apigateway.New(w), s.network.Balancing()
	apis.Certificate, balancing.Certificate = s.acm.Names, s.acm.Names
	s.acm.Users = func(arn string) []string {
		return append(balancing.CertificateUsers(arn), apis.CertificateUsers(arn)...)
	}
	apis.Endpoint, balancing.Probe = s.network.Endpoint, apis.Probe
	apis.Lambda = func(i apigateway.Invocation) (apigateway.Result, error) {
		out, err := w.Invoke(i.Caller, i.Region, "lambda", "Invoke", &lambda.InvokeInput{FunctionName: i.Function, Payload: i.Payload})
		if err != nil {
			return apigateway.Result{}, fmt.Errorf("invoke %s: %w", i.Function, err)
		}
		r := out.(*lambda.InvokeOutput)
		return apigateway.Result{Payload: r.Payload, FunctionError: r.FunctionError}, nil
	}
	return apis
}

func (s *services) vpcOriginExists(arn string) bool {
	return slices.ContainsFunc(s.cloudfront.VpcOrigins(), func(o cloudfront.VpcOriginView) bool { return o.ARN == arn })
}

// invoker lets Step Functions call Lambda through Lambda's API, as the machine's role.
func invoker(w *cloud.World) states.Lambda {
	return func(i states.Invocation) (states.Answer, error) {
		out, err := w.Invoke(i.Caller, i.Region, "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: i.Function, Qualifier: i.Qualifier, Payload: i.Payload,
		})
		if err != nil {
			return states.Answer{}, fmt.Errorf("invoke %s: %w", i.Function, err)
		}
		r := out.(*lambda.InvokeOutput)
		return states.Answer{Payload: r.Payload, FunctionError: r.FunctionError, ExecutedVersion: r.ExecutedVersion}, nil
	}
}

// hooks returns the edits by others that a fault rule can ask for.
func (s *services) hooks() map[string]func(*cloud.Call) {
	return map[string]func(*cloud.Call){
		// The distribution that is about to be updated gets another comment, and with it another ETag.
		"distribution-comment": s.cloudfront.ForeignEditHook,
		// The network interfaces of the VPC origin that is about to be deleted stay forever.
		"keep-network-interfaces": func(c *cloud.Call) {
			if in, ok := c.Input.(*cloudfront.DeleteVpcOriginInput); ok {
				s.network.HoldENIs(in.ID)
			}
		},
		// The interface endpoints of the call's account and Region get other network interfaces.
		"replace-endpoint-interfaces": func(c *cloud.Call) { s.network.ReplaceAllInterfaces(c.Account(), c.Region) },
	}
}

func (s *services) close() { s.lambda.Close() }
