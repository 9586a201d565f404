package rehearsal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/registry"
	"github.com/originhub/originhub/pkg/wiring"
)

// setPolicyKey changes one key of the policy that the functions get.
func (o *Options) setPolicyKey(key, value string) (err error) {
	change, ok := map[string][2]string{
		"refused":        {"refused: leave", "refused: " + value},
		"claims":         {"grace:\n", "claims: {refused: " + value + "}\ngrace:\n"},
		"aliases":        {"aliases: wildcard", "aliases: " + value},
		"originsPerTeam": {"originsPerTeam: 25", "originsPerTeam: " + value},
		"reservedHosts":  {"hostedZone: ", "reservedHosts: [" + value + "]\nhostedZone: "},
		"maximum":        {"priceClass: PriceClass_100", "maximum: " + value},
		"host":           {"- host: ", "- host: '" + value + "' # "}, // the same host for every grant
	}[key]
	if !ok {
		return fmt.Errorf("unknown option %s", key)
	}
	if o.Policy == nil {
		o.Policy, err = os.ReadFile(filepath.Join(o.Templates, contract.PolicyFile))
	}
	if !bytes.Contains(o.Policy, []byte(change[0])) {
		return fmt.Errorf("policy has no %q, so that %s cannot be changed", change[0], key)
	}
	o.Policy = bytes.ReplaceAll(o.Policy, []byte(change[0]), []byte(change[1]))
	return err
}

// leaveOrganization takes a team's account out of the organization.
func (s *story) leaveOrganization(_ *testscript.TestScript, args []string) error {
	a := s.actors[args[0]]
	if a == nil {
		return fmt.Errorf("there is no team %s", args[0])
	}
	s.LeaveOrganization(a.Account)
	return nil
}

// setQuota sets a quota of an account: that of a team, or the hub's, which is called networking.
func (s *story) setQuota(_ *testscript.TestScript, args []string) error {
	account := HubAccount
	if a := s.actors[args[0]]; a != nil {
		account = a.Account
	} else if args[0] != "networking" {
		return fmt.Errorf("there is no account %s", args[0])
	}
	value, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	return s.SetQuota(account, args[1], value)
}

// deployThatAdopts creates two distributions in the hub's account, first and second, and then deploys a hub that adopts the named
// distributions. Both already serve something else. first has the wildcard alias that the policy asks for.
func (s *story) deployThatAdopts(names []string) error {
	s.adoptable, s.originalConfigs = map[string]string{}, map[string][]byte{}
	for _, each := range [][2]string{{"first", "*." + s.policy.Domain}, {"second", "legacy.example.net"}} { // always in this order, so that ids are the same in every run
		name, alias := each[0], each[1]
		out, err := s.hubCloudFront.CreateDistribution(s.ctx, &cloudfront.CreateDistributionInput{DistributionConfig: legacy(name, alias, s.policy.Certificate)})
		if err != nil {
			return err
		}
		s.adoptable[name] = aws.ToString(out.Distribution.Id)
		served, err := s.hub.Distribution(s.ctx, s.adoptable[name])
		if err != nil {
			return err
		}
		s.originalConfigs[name] = served.Config
	}
	if err := s.waitUntilIdle(nil, nil); err != nil {
		return err
	}
	return s.adopt(nil, names)
}

// createDistribution creates a distribution of another department with the parts in a file, and waits until it is Deployed.
func (s *story) createDistribution(ts *testscript.TestScript, args []string) error {
	config := legacy(args[0], args[0]+".example.net", s.policy.Certificate)
	if err := s.overlay(config, ts.ReadFile(args[1])); err != nil {
		return err
	}
	out, err := s.hubCloudFront.CreateDistribution(s.ctx, &cloudfront.CreateDistributionInput{DistributionConfig: config})
	if err != nil {
		return err
	}
	if s.adoptable == nil {
		s.adoptable, s.originalConfigs = map[string]string{}, map[string][]byte{}
	}
	s.adoptable[args[0]] = aws.ToString(out.Distribution.Id)
	served, err := s.hub.Distribution(s.ctx, s.adoptable[args[0]])
	s.originalConfigs[args[0]] = served.Config
	return errors.Join(err, s.waitUntilIdle(nil, nil))
}

// createPolicy creates a policy of a kind in the hub's account.
func (s *story) createPolicy(ts *testscript.TestScript, args []string) error {
	var id *string
	config := []byte(ts.ReadFile(args[2]))
	switch args[0] {
	case "cache":
		in := &cloudfront.CreateCachePolicyInput{CachePolicyConfig: &types.CachePolicyConfig{}}
		if err := json.Unmarshal(config, in.CachePolicyConfig); err != nil {
			return err
		}
		out, err := s.hubCloudFront.CreateCachePolicy(s.ctx, in)
		if err != nil {
			return err
		}
		id = out.CachePolicy.Id
	case "origin-request":
		in := &cloudfront.CreateOriginRequestPolicyInput{OriginRequestPolicyConfig: &types.OriginRequestPolicyConfig{}}
		if err := json.Unmarshal(config, in.OriginRequestPolicyConfig); err != nil {
			return err
		}
		out, err := s.hubCloudFront.CreateOriginRequestPolicy(s.ctx, in)
		if err != nil {
			return err
		}
		id = out.OriginRequestPolicy.Id
	case "response-headers":
		in := &cloudfront.CreateResponseHeadersPolicyInput{ResponseHeadersPolicyConfig: &types.ResponseHeadersPolicyConfig{}}
		if err := json.Unmarshal(config, in.ResponseHeadersPolicyConfig); err != nil {
			return err
		}
		out, err := s.hubCloudFront.CreateResponseHeadersPolicy(s.ctx, in)
		if err != nil {
			return err
		}
		id = out.ResponseHeadersPolicy.Id
	default:
		return fmt.Errorf("there is no kind %s of policies", args[0])
	}
	if s.cloudFrontPolicies == nil {
		s.cloudFrontPolicies = map[string]string{}
	}
	s.cloudFrontPolicies[args[1]] = aws.ToString(id)
	return nil
}

// overlayDistribution changes parts of the hub's distribution, or of the first adopted one, as a file says.
func (s *story) overlayDistribution(ts *testscript.TestScript, args []string) (err error) {
	text := ts.ReadFile(args[0])
	edited := s.editDistribution(func(c *types.DistributionConfig) { err = s.overlay(c, text) })
	return errors.Join(err, edited)
}

// overlay replaces the parts of a configuration that a JSON text has.
func (s *story) overlay(c *types.DistributionConfig, text string) error {
	for name, o := range s.origins {
		text = strings.ReplaceAll(text, "<"+name+">", o.ID)
	}
	for name, id := range s.cloudFrontPolicies {
		text = strings.ReplaceAll(text, "<"+name+">", id)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return err
	}
	for name := range parts { // a list would keep elements of the old one
		field := reflect.ValueOf(c).Elem().FieldByName(name)
		if !field.IsValid() {
			return fmt.Errorf("a distribution has no %s", name)
		}
		field.SetZero()
	}
	return json.Unmarshal([]byte(text), c)
}

func legacy(name, alias, certificate string) *types.DistributionConfig {
	const cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	return &types.DistributionConfig{
		CallerReference: &name, Comment: aws.String("of another department, " + name), Enabled: aws.Bool(true), IsIPV6Enabled: aws.Bool(true),
		Aliases: &types.Aliases{Quantity: aws.Int32(1), Items: []string{alias}},
		ViewerCertificate: &types.ViewerCertificate{
			ACMCertificateArn: &certificate, SSLSupportMethod: types.SSLSupportMethodSniOnly, MinimumProtocolVersion: types.MinimumProtocolVersionTLSv122021,
		},
		Origins: &types.Origins{Quantity: aws.Int32(1), Items: []types.Origin{{
			Id: aws.String("legacy"), DomainName: aws.String("legacy.example.org"), CustomOriginConfig: &types.CustomOriginConfig{
				HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443), OriginProtocolPolicy: types.OriginProtocolPolicyHttpsOnly,
			},
		}}},
		DefaultCacheBehavior: &types.DefaultCacheBehavior{
			TargetOriginId: aws.String("legacy"), ViewerProtocolPolicy: types.ViewerProtocolPolicyHttpsOnly, CachePolicyId: aws.String(cachingDisabled),
		},
		CacheBehaviors: &types.CacheBehaviors{Quantity: aws.Int32(1), Items: []types.CacheBehavior{{
			PathPattern: aws.String("/legacy/*"), TargetOriginId: aws.String("legacy"),
			ViewerProtocolPolicy: types.ViewerProtocolPolicyHttpsOnly, CachePolicyId: aws.String(cachingDisabled),
		}}},
	}
}

// adopting returns the policy with these distributions adopted. A name that is not first or second is an id, or KEY=VALUE for another key
// beside adopt.
func (s *story) adopting(names []string) []byte {
	var ids []string
	keys := ""
	for _, name := range names {
		if key, value, is := strings.Cut(name, "="); is {
			keys += "  " + key + ": " + value + "\n"
			continue
		}
		ids = append(ids, cmp.Or(s.adoptable[name], name))
	}
	return distributionKey.ReplaceAll(s.policyText, []byte("distribution:\n"+keys+"  adopt: ["+strings.Join(ids, ", ")+"]\n"))
}

var distributionKey = regexp.MustCompile(`distribution:\n(  .*\n)+`)

// adopt deploys the hub with a policy that adopts these distributions.
func (s *story) adopt(_ *testscript.TestScript, args []string) error {
	s.policyText = s.adopting(args)
	return s.deployAgain()
}

// deployAgain deploys the hub again, with the policy policyText, and waits until nothing is under way.
func (s *story) deployAgain() error {
	if err := s.deployVersion(""); err != nil {
		return err
	}
	return s.waitUntilIdle(nil, nil)
}

// configOriginal checks that an adopted distribution has the configuration that it had before the adoption, byte for byte.
func (s *story) configOriginal(_ *testscript.TestScript, args []string) error {
	served, err := s.hub.Distribution(s.ctx, s.adoptable[args[0]])
	if err != nil {
		return err
	}
	return want(bytes.Equal(served.Config, s.originalConfigs[args[0]]), "the configuration of %s changed from\n%s\nto\n%s", args[0], s.originalConfigs[args[0]], served.Config)
}

// distributionName returns the hub's name of a distribution. The first adopted one is main; the name of another one is its id.
func (s *story) distributionName(name string) string {
	if name == "first" {
		return origin.Main
	}
	return cmp.Or(s.adoptable[name], name)
}

// snapshot returns the registry, with the past records of the story's origins that are over.
func (s *story) snapshot() (origin.Snapshot, error) {
	cfg, table := s.Config(HubAccount, Region), s.outputs["RegistryTable"]
	known, err := registry.New(cfg, table).Load(s.ctx)
	if err != nil {
		return known, err
	}
	var over []string
	for _, o := range s.origins {
		if _, is := known.Find(o.ID); !is {
			over = append(over, o.ID)
		}
	}
	past, err := registry.NewPast(cfg, table, s.outputs["PastOriginsTable"]).Find(s.ctx, over)
	known.Records = append(known.Records, past...)
	return known, err
}

// liveOrigins checks how many live origins the registry has on a distribution, and that the distribution's configuration contains these
// and no other VPC origins.
func (s *story) liveOrigins(_ *testscript.TestScript, args []string) error {
	known, err := s.snapshot()
	if err != nil {
		return err
	}
	name := s.distributionName(args[0])
	served, err := s.hub.Distribution(s.ctx, known.Distribution(name).ID)
	if err != nil {
		return err
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return err
	}
	live := 0
	for _, o := range known.Records {
		here := o.Distribution == name && o.State == origin.Live
		if here != config.Uses(o.ID) {
			return want(false, "the registry has %s as %s on %s; the configuration of %s contains it: %v", o.ID, o.State, o.Distribution, args[0], config.Uses(o.ID))
		}
		if here {
			live++
		}
	}
	if n := bytes.Count(served.Config, []byte("<VpcOriginId>")); n != live {
		return want(false, "%s has %d live origins in the registry and %d in its configuration", args[0], live, n)
	}
	return want(strconv.Itoa(live) == args[1], "%s has %d live origins, want %s", args[0], live, args[1])
}

// placement checks on which distribution the registry has an origin.
func (s *story) placement(_ *testscript.TestScript, args []string) error {
	r, _, err := s.record(args[0])
	return errors.Join(err, want(r.Distribution == s.distributionName(args[1]), "%s is on %s, want %s", args[0], r.Distribution, args[1]))
}

// alias checks that a distribution has an alias, or that it does not.
func (s *story) alias(_ *testscript.TestScript, args []string) error {
	if args[2] != "present" && args[2] != "absent" {
		return fmt.Errorf("%s is neither present nor absent", args[2])
	}
	known, err := s.snapshot()
	if err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, known.Distribution(args[0]).ID)
	if err != nil {
		return err
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return err
	}
	return want(slices.Contains(config.Aliases(), args[1]) == (args[2] == "present"), "%s has the aliases %s", args[0], config.Aliases())
}

// distributions checks how many distributions the hub's account has, and that all are enabled.
func (s *story) distributions(_ *testscript.TestScript, args []string) error {
	list, err := s.hubCloudFront.ListDistributions(s.ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return err
	}
	n := len(list.DistributionList.Items)
	for _, d := range list.DistributionList.Items {
		if !aws.ToBool(d.Enabled) {
			return want(false, "distribution %s is disabled", aws.ToString(d.Id))
		}
	}
	return want(strconv.Itoa(n) == args[0], "there are %d distributions, want %s", n, args[0])
}

// logLine checks that a function has logged a text.
func (s *story) logLine(_ *testscript.TestScript, args []string) error {
	return want(bytes.Contains(s.logs.Bytes(), []byte(args[0])), "no function logged %q", args[0])
}
