package rehearsal

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/wiring"
)

// retargetBehavior points the behavior of a path at another origin. It creates that origin on the public internet if the distribution
// lacks it.
func (s *story) retargetBehavior(_ *testscript.TestScript, args []string) error {
	changed := false
	err := s.editDistribution(func(c *cloudfronttypes.DistributionConfig) {
		known := false
		for _, o := range c.Origins.Items {
			known = known || aws.ToString(o.Id) == args[1]
		}
		if !known {
			c.Origins.Items = append(c.Origins.Items, cloudfronttypes.Origin{
				Id: &args[1], DomainName: aws.String("legacy.example.org"), CustomOriginConfig: &cloudfronttypes.CustomOriginConfig{
					HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443), OriginProtocolPolicy: cloudfronttypes.OriginProtocolPolicyHttpsOnly,
				},
			})
			*c.Origins.Quantity++
		}
		for i, b := range c.CacheBehaviors.Items {
			if aws.ToString(b.PathPattern) == args[0] {
				c.CacheBehaviors.Items[i].TargetOriginId = &args[1]
				changed = true
			}
		}
	})
	if err == nil && !changed {
		return fmt.Errorf("no behavior has the path %s", args[0])
	}
	return err
}

// changePolicy deploys the hub with a policy in which texts are replaced.
func (s *story) changePolicy(_ *testscript.TestScript, args []string) error {
	text := string(s.policyText)
	if len(args)%2 != 0 {
		return fmt.Errorf("the text that replaces %s is missing", args[len(args)-1])
	}
	for i := 0; i < len(args); i += 2 {
		if !strings.Contains(text, args[i]) {
			return fmt.Errorf("policy has no %q:\n%s", args[i], text)
		}
		text = strings.ReplaceAll(text, args[i], args[i+1])
	}
	s.policyText = []byte(text)
	if !strings.Contains(text, "adopt:") {
		return s.deployAgain()
	}
	names := s.policy.Distribution.Adopt
	if s.policy.Distribution.DryRun {
		names = append([]string{"mode=dry-run"}, names...)
	}
	return s.adopt(nil, names)
}

// addUnmanagedAlias adds an alias to an adopted distribution, and creates the records of its host. configOriginal compares with the
// configuration that results.
func (s *story) addUnmanagedAlias(_ *testscript.TestScript, args []string) error {
	id := s.adoptable[args[0]]
	out, err := s.hubCloudFront.GetDistribution(s.ctx, &cloudfront.GetDistributionInput{Id: &id})
	if err != nil {
		return err
	}
	config := out.Distribution.DistributionConfig
	config.Aliases.Items = append(config.Aliases.Items, args[1])
	*config.Aliases.Quantity++
	if _, err := s.hubCloudFront.UpdateDistribution(s.ctx, &cloudfront.UpdateDistributionInput{
		Id: &id, IfMatch: out.ETag, DistributionConfig: config,
	}); err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, id)
	if err != nil {
		return err
	}
	s.originalConfigs[args[0]] = served.Config
	var changes []route53types.Change
	for _, kind := range []route53types.RRType{route53types.RRTypeA, route53types.RRTypeAaaa} {
		changes = append(changes, route53types.Change{Action: route53types.ChangeActionCreate, ResourceRecordSet: &route53types.ResourceRecordSet{
			Name: &args[1], Type: kind,
			AliasTarget: &route53types.AliasTarget{DNSName: out.Distribution.DomainName, HostedZoneId: aws.String("Z2FDTNDATAQYW2")},
		}})
	}
	_, err = route53.NewFromConfig(s.Config(HubAccount, Region)).ChangeResourceRecordSets(s.ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &s.policy.HostedZone, ChangeBatch: &route53types.ChangeBatch{Changes: changes},
	})
	return err
}

// takeAlias adds an alias to a distribution that the hub does not manage, or to a new one of the account with that id. DNS stays as it is.
func (s *story) takeAlias(_ *testscript.TestScript, args []string) error {
	id := s.adoptable[args[0]]
	if id == "" {
		certificate := strings.Replace(s.policy.Certificate, HubAccount, args[0], 1)
		_, err := NewActor(s.Sandbox, "other", args[0]).cloudfront.CreateDistribution(s.ctx, &cloudfront.CreateDistributionInput{
			DistributionConfig: legacy("other", args[1], certificate),
		})
		return err
	}
	out, err := s.hubCloudFront.GetDistributionConfig(s.ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if err != nil {
		return err
	}
	config := out.DistributionConfig
	config.Aliases.Items = append(config.Aliases.Items, args[1])
	*config.Aliases.Quantity++
	_, err = s.hubCloudFront.UpdateDistribution(s.ctx, &cloudfront.UpdateDistributionInput{Id: &id, IfMatch: out.ETag, DistributionConfig: config})
	return err
}

// publishFunction publishes other code, by default the hub's own, in the function that answers 404.
func (s *story) publishFunction(_ *testscript.TestScript, args []string) error {
	name, code := contract.NotFoundFunction(s.policy.Hub), strings.Join(args, "")
	if code == "" {
		code = wiring.NotFoundFunction
	}
	was, err := s.hubCloudFront.DescribeFunction(s.ctx, &cloudfront.DescribeFunctionInput{Name: &name})
	if err != nil {
		return err
	}
	if _, err := s.hubCloudFront.UpdateFunction(s.ctx, &cloudfront.UpdateFunctionInput{
		Name: &name, IfMatch: was.ETag, FunctionCode: []byte(code), FunctionConfig: was.FunctionSummary.FunctionConfig,
	}); err != nil {
		return err
	}
	draft, err := s.hubCloudFront.DescribeFunction(s.ctx, &cloudfront.DescribeFunctionInput{Name: &name})
	if err != nil {
		return err
	}
	_, err = s.hubCloudFront.PublishFunction(s.ctx, &cloudfront.PublishFunctionInput{Name: &name, IfMatch: draft.ETag})
	return err
}

// rejectInvitation rejects the hub's invitation to a share by hand.
func (s *story) rejectInvitation(_ *testscript.TestScript, args []string) error {
	client := ram.NewFromConfig(s.Config(HubAccount, Region))
	invitation, err := s.invitationTo(client, args[0])
	if err != nil {
		return err
	}
	_, err = client.RejectResourceShareInvitation(s.ctx, &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: &invitation})
	return err
}

// retargetDefaultBehavior points the default behavior at the origin that addPublicBehavior created.
func (s *story) retargetDefaultBehavior(*testscript.TestScript, []string) error {
	return s.editDistribution(func(c *cloudfronttypes.DistributionConfig) {
		c.DefaultCacheBehavior.TargetOriginId = aws.String("legacy")
		c.DefaultCacheBehavior.FunctionAssociations = &cloudfronttypes.FunctionAssociations{Quantity: aws.Int32(0)}
	})
}
