package rehearsal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// rewrite gives the functions' policy another value of one key.
func (o *Options) rewrite(key, value string) (err error) {
	change, ok := map[string][2]string{
		"refused":        {"refused: leave", "refused: " + value},
		"aliases":        {"aliases: wildcard", "aliases: " + value},
		"originsPerTeam": {"originsPerTeam: 25", "originsPerTeam: " + value},
		"maximum":        {"priceClass: PriceClass_100", "maximum: " + value},
		"host":           {"- host: ", "- host: '" + value + "' # "}, // that every team is granted
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

// quota TEAM CODE VALUE: AWS grants an account another value of a quota. The hub's account is called networking.
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

// deployThatAdopts makes two distributions of the Networking account, first and second, before it deploys a hub that adopts
// distributions. Each serves something else already; first has the wildcard alias, as policy says.
func (s *story) deployThatAdopts(names []string) error {
	s.adoptable, s.originalConfigs = map[string]string{}, map[string][]byte{}
	for _, each := range [][2]string{{"first", "*." + s.policy.Domain}, {"second", "legacy.example.net"}} { // in this order, or ids differ
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

// adopting is the policy with these distributions adopted: of those that exist by name, of others by id.
func (s *story) adopting(names []string) []byte {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = cmp.Or(s.adoptable[name], name)
	}
	return distributionKey.ReplaceAll(s.policyText, []byte("distribution:\n  adopt: ["+strings.Join(ids, ", ")+"]\n"))
}

var distributionKey = regexp.MustCompile(`distribution:\n(  .*\n)+`)

// adopt NAME...: the platform engineer deploys the hub with a policy that adopts these distributions.
func (s *story) adopt(_ *testscript.TestScript, args []string) error {
	s.policyText = s.adopting(args)
	return s.deployAgain()
}

// deployAgain deploys the hub again, with the policy whose text is s.text.
func (s *story) deployAgain() error {
	if err := s.deployVersion(""); err != nil {
		return err
	}
	return s.waitUntilIdle(nil, nil)
}

// synthesize makes the golden template what a policy that adopts makes it: only what is adopted may be updated. And code of
// another hash has another key.
func (s *story) adaptTemplate(part any) {
	switch part := part.(type) {
	case []any:
		for _, each := range part {
			s.adaptTemplate(each)
		}
	case map[string]any:
		if part["Action"] == "cloudfront:UpdateDistribution" && s.policy.Distribution.Create == 0 {
			var arns []string
			for _, id := range s.policy.Distribution.Adopt {
				arns = append(arns, "arn:aws:cloudfront::"+HubAccount+":distribution/"+id)
			}
			part["Resource"] = arns
		}
		if key, ok := part["S3Key"].(string); ok {
			part["S3Key"] = strings.Replace(key, ".zip", fmt.Sprintf(".%d.zip", s.deployments), 1)
		}
		for _, each := range part {
			s.adaptTemplate(each)
		}
	}
}

// as-before NAME: the distribution is as it was before there was a hub, byte for byte.
func (s *story) configOriginal(_ *testscript.TestScript, args []string) error {
	served, err := s.hub.Distribution(s.ctx, s.adoptable[args[0]])
	if err != nil {
		return err
	}
	return want(bytes.Equal(served.Config, s.originalConfigs[args[0]]), "the configuration of %s changed from\n%s\nto\n%s", args[0], s.originalConfigs[args[0]], served.Config)
}

// called is the hub's name for a distribution: the first is main, and others are called by their ids.
func (s *story) distributionName(name string) string {
	if name == "first" {
		return origin.Main
	}
	return cmp.Or(s.adoptable[name], name)
}

func (s *story) snapshot() (origin.Snapshot, error) {
	return registry.New(s.Config(HubAccount, Region), s.outputs["RegistryTable"]).Load(s.ctx)
}

// holds DISTRIBUTION N: the registry has so many live origins in the distribution of that name, and its configuration holds
// these and no other origin of the hub's.
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
			return want(false, "the registry says %s is %s in %s; that the configuration of %s has it is %v", o.ID, o.State, o.Distribution, args[0], config.Uses(o.ID))
		}
		if here {
			live++
		}
	}
	if n := bytes.Count(served.Config, []byte("<VpcOriginId>")); n != live {
		return want(false, "%s holds %d live origins of %d", args[0], live, n)
	}
	return want(strconv.Itoa(live) == args[1], "%s holds %d live origins, want %s", args[0], live, args[1])
}

// is-on NAME DISTRIBUTION: the registry has the origin in the distribution of that name.
func (s *story) placement(_ *testscript.TestScript, args []string) error {
	r, _, err := s.record(args[0])
	return errors.Join(err, want(r.Distribution == s.distributionName(args[1]), "%s is on %s, want %s", args[0], r.Distribution, args[1]))
}

// alias DISTRIBUTION HOST there|absent: the distribution of that name has the alias, or no alias of that name.
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

// distributions N: the hub's account has so many.
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

// logged TEXT: some function logged it.
func (s *story) logLine(_ *testscript.TestScript, args []string) error {
	return want(bytes.Contains(s.logs.Bytes(), []byte(args[0])), "nobody logged %q", args[0])
}
