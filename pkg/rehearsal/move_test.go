package rehearsal

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/rogpeppe/go-internal/testscript"
)

// moveOrigin points a VPC origin at another load balancer or instance.
func (s *story) moveOrigin(_ *testscript.TestScript, args []string) error {
	id, client := s.origins[args[0]].ID, s.owner(args[0]).cloudfront
	is, err := client.GetVpcOrigin(s.ctx, &cloudfront.GetVpcOriginInput{Id: &id})
	if err != nil {
		return err
	}
	config := is.VpcOrigin.VpcOriginEndpointConfig
	config.Arn = &args[1]
	_, err = client.UpdateVpcOrigin(s.ctx, &cloudfront.UpdateVpcOriginInput{Id: &id, IfMatch: is.ETag, VpcOriginEndpointConfig: config})
	return err
}
