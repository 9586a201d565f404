package rehearsal

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
)

// associateAlias moves an alias to a distribution of the hub's account with AssociateAlias.
func (s *story) associateAlias(_ *testscript.TestScript, args []string) error {
	id := s.adoptable[args[0]]
	_, err := s.hubCloudFront.AssociateAlias(s.ctx, &cloudfront.AssociateAliasInput{TargetDistributionId: &id, Alias: &args[1]})
	return err
}

// updateDomainAssociation moves an alias to a distribution of the hub's account with UpdateDomainAssociation.
func (s *story) updateDomainAssociation(_ *testscript.TestScript, args []string) error {
	id := s.adoptable[args[0]]
	_, err := s.hubCloudFront.UpdateDomainAssociation(s.ctx, &cloudfront.UpdateDomainAssociationInput{
		Domain: &args[1], TargetResource: &cloudfronttypes.DistributionResourceId{DistributionId: &id},
	})
	return err
}

// copyDistribution copies the adopted distribution first, or else the hub's, as a staging distribution, and waits until it is Deployed.
func (s *story) copyDistribution(_ *testscript.TestScript, args []string) error {
	id, err := s.distributionID()
	if err != nil {
		return err
	}
	was, err := s.hubCloudFront.GetDistributionConfig(s.ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if err != nil {
		return err
	}
	out, err := s.hubCloudFront.CopyDistribution(s.ctx, &cloudfront.CopyDistributionInput{
		PrimaryDistributionId: &id, IfMatch: was.ETag, Staging: aws.Bool(true), CallerReference: &args[0],
	})
	if err != nil {
		return err
	}
	if s.adoptable == nil {
		s.adoptable, s.originalConfigs = map[string]string{}, map[string][]byte{}
	}
	s.adoptable[args[0]] = aws.ToString(out.Distribution.Id)
	return s.waitUntilIdle(nil, nil)
}

// emptyCopy takes all VPC origins and their behaviors out of a distribution that copyDistribution created.
func (s *story) emptyCopy(_ *testscript.TestScript, args []string) error {
	id := s.adoptable[args[0]]
	was, err := s.hubCloudFront.GetDistributionConfig(s.ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if err != nil {
		return err
	}
	c := was.DistributionConfig
	private := map[string]bool{}
	var origins []cloudfronttypes.Origin
	for _, o := range c.Origins.Items {
		if private[aws.ToString(o.Id)] = o.VpcOriginConfig != nil; o.VpcOriginConfig == nil {
			origins = append(origins, o)
		}
	}
	var behaviors []cloudfronttypes.CacheBehavior
	for _, b := range c.CacheBehaviors.Items {
		if !private[aws.ToString(b.TargetOriginId)] {
			behaviors = append(behaviors, b)
		}
	}
	c.Origins = &cloudfronttypes.Origins{Items: origins, Quantity: aws.Int32(int32(len(origins)))}
	c.CacheBehaviors = &cloudfronttypes.CacheBehaviors{Items: behaviors, Quantity: aws.Int32(int32(len(behaviors)))}
	if _, err := s.hubCloudFront.UpdateDistribution(s.ctx, &cloudfront.UpdateDistributionInput{Id: &id, IfMatch: was.ETag, DistributionConfig: c}); err != nil {
		return err
	}
	return s.waitUntilIdle(nil, nil)
}

// createWithoutWaiting creates a VPC origin of a team, which CloudFront is still deploying when the next line runs.
func (s *story) createWithoutWaiting(_ *testscript.TestScript, args []string) error {
	return s.createOrigin(args[0], args[1], args[2:]...)
}

// acceptInvitation accepts the hub's invitation to a share by hand.
func (s *story) acceptInvitation(_ *testscript.TestScript, args []string) error {
	client := ram.NewFromConfig(s.Config(HubAccount, Region))
	invitation, err := s.invitationTo(client, args[0])
	if err != nil {
		return err
	}
	_, err = client.AcceptResourceShareInvitation(s.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &invitation})
	return err
}

// invitationTo returns the ARN of the hub's invitation to a share.
func (s *story) invitationTo(client *ram.Client, share string) (string, error) {
	out, err := client.GetResourceShareInvitations(s.ctx, &ram.GetResourceShareInvitationsInput{ResourceShareArns: []string{s.shares[share]}})
	if err != nil {
		return "", err
	}
	for _, i := range out.ResourceShareInvitations {
		return aws.ToString(i.ResourceShareInvitationArn), nil
	}
	return "", fmt.Errorf("no invitation to share %s", share)
}

// renameShare gives the share of an origin another name.
func (s *story) renameShare(_ *testscript.TestScript, args []string) error {
	arn := s.shares[args[0]]
	_, err := s.owner(args[0]).ram.UpdateResourceShare(s.ctx, &ram.UpdateResourceShareInput{ResourceShareArn: &arn, Name: &args[1]})
	return err
}

// shareInSteps shares an origin as Terraform does: first an empty share, then the hub as its principal, and the origin half a minute later.
func (s *story) shareInSteps(_ *testscript.TestScript, args []string) error {
	client := s.owner(args[0]).ram
	made, err := client.CreateResourceShare(s.ctx, &ram.CreateResourceShareInput{Name: aws.String(contract.SharePrefix + args[0]), AllowExternalPrincipals: aws.Bool(true)})
	if err != nil {
		return err
	}
	arn := made.ResourceShare.ResourceShareArn
	s.shares[args[0]] = aws.ToString(arn)
	if _, err := client.AssociateResourceShare(s.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{HubAccount}}); err != nil {
		return err
	}
	if err := s.advance(nil, []string{"30s"}); err != nil {
		return err
	}
	return s.addToShare(nil, []string{args[0], s.origins[args[0]].ARN})
}

// addToShare adds a resource to the share of an origin.
func (s *story) addToShare(_ *testscript.TestScript, args []string) error {
	arn := s.shares[args[0]]
	_, err := s.owner(args[0]).ram.AssociateResourceShare(s.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: &arn, ResourceArns: args[1:]})
	return err
}

// deleteLoadBalancer deletes the load balancer of that name in a team's account.
func (s *story) deleteLoadBalancer(_ *testscript.TestScript, args []string) error {
	a := s.actors[args[0]]
	_, err := elasticloadbalancingv2.NewFromConfig(s.Config(a.Account, Region)).DeleteLoadBalancer(s.ctx, &elasticloadbalancingv2.DeleteLoadBalancerInput{
		LoadBalancerArn: aws.String(a.endpoint(args[1])),
	})
	return err
}

// tagThroughTaggingAPI sets the teardown tag of origins of one account with TagResources. The SDK's module is not a dependency, so that the
// request is written here.
func (s *story) tagThroughTaggingAPI(_ *testscript.TestScript, args []string) error {
	var arns []string
	for _, name := range args[1:] {
		arns = append(arns, s.origins[name].ARN)
	}
	body, err := json.Marshal(map[string]any{"ResourceARNList": arns, "Tags": map[string]string{contract.TagTeardown: args[0]}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.Endpoint(), strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "ResourceGroupsTaggingAPI_20170126.TagResources")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.owner(args[1]).Account+"/20350108/"+Region+"/tagging/aws4_request, SignedHeaders=host, Signature=0")
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer out.Body.Close()
	answer, err := io.ReadAll(out.Body)
	if err != nil {
		return err
	}
	return want(out.StatusCode == http.StatusOK && strings.Contains(string(answer), `"FailedResourcesMap":{}`), "TagResources answers %s: %s", out.Status, answer)
}

// writeOriginal writes the configuration that an adopted distribution had before the hub adopted it.
func (s *story) writeOriginal(_ *testscript.TestScript, args []string) error {
	id := s.adoptable[args[0]]
	served, err := s.hub.Distribution(s.ctx, id)
	if err != nil {
		return err
	}
	_, err = s.hub.Update(s.ctx, id, served.ETag, s.originalConfigs[args[0]])
	return err
}
