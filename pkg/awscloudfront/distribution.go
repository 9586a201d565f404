// Package awscloudfront is the adapter of CloudFront: it reads and writes distributions as whole XML documents, and reads, lists
// and deletes VPC origins.
package awscloudfront

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// codes classifies the errors of all operations except those that write a distribution.
var codes = fault.Codes{
	"PreconditionFailed": fault.AsReread, "InvalidIfMatchVersion": fault.AsReread,
	"EntityNotFound": fault.AsAbsent, "NoSuchDistribution": fault.AsAbsent, "NoSuchResource": fault.AsAbsent,
	"NoSuchFunctionExists":  fault.AsAbsent,
	"FunctionAlreadyExists": fault.AsExists,
	// An origin that is in use or still Deploying can be deleted later.
	"CannotDeleteEntityWhileInUse": fault.AsRetry, "IllegalDelete": fault.AsRetry,
}

// invalid lists the error codes that mean an invalid document: those of UpdateDistribution and CreateDistribution in the SDK's
// model, and three that the model does not name. EntityNotFound means an unknown VPC origin in the document, and
// EntityLimitExceeded a VPC origin that is in too many distributions. The codes are listed, not inferred from the HTTP status,
// because expired credentials and throttles return 4xx too.
const invalid = `
	CNAMEAlreadyExists ContinuousDeploymentPolicyInUse EntityLimitExceeded EntityNotFound
	IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior IllegalOriginAccessConfiguration IllegalUpdate
	InconsistentQuantities InvalidArgument InvalidDefaultRootObject InvalidDomainNameForOriginAccessControl InvalidErrorCode
	InvalidForwardCookies InvalidFunctionAssociation InvalidGeoRestrictionParameter InvalidHeadersForS3Origin
	InvalidLambdaFunctionAssociation InvalidLocationCode InvalidMinimumProtocolVersion InvalidOrigin InvalidOriginAccessControl
	InvalidOriginAccessIdentity InvalidOriginKeepaliveTimeout InvalidOriginReadTimeout InvalidProtocolSettings
	InvalidQueryStringParameters InvalidRelativePath InvalidRequiredProtocol InvalidResponseCode InvalidTTLOrder
	InvalidViewerCertificate InvalidWebACLId MalformedInput MalformedXML MissingBody NoSuchCachePolicy
	NoSuchContinuousDeploymentPolicy NoSuchFieldLevelEncryptionConfig NoSuchOrigin NoSuchOriginRequestPolicy
	NoSuchRealtimeLogConfig NoSuchResponseHeadersPolicy RealtimeLogConfigOwnerMismatch
	StagingDistributionInUse TooManyCacheBehaviors TooManyCertificates TooManyCookieNamesInWhiteList
	TooManyDistributionCNAMEs TooManyDistributions TooManyDistributionsAssociatedToCachePolicy
	TooManyDistributionsAssociatedToFieldLevelEncryptionConfig TooManyDistributionsAssociatedToKeyGroup
	TooManyDistributionsAssociatedToOriginAccessControl TooManyDistributionsAssociatedToOriginRequestPolicy
	TooManyDistributionsAssociatedToResponseHeadersPolicy TooManyDistributionsWithFunctionAssociations
	TooManyDistributionsWithLambdaAssociations TooManyDistributionsWithSingleFunctionARN TooManyFunctionAssociations
	TooManyHeadersInForwardedValues TooManyKeyGroupsAssociatedToDistribution TooManyLambdaFunctionAssociations
	TooManyOriginCustomHeaders TooManyOriginGroupsPerDistribution TooManyOrigins TooManyQueryStringParameters
	TooManyTrustedSigners TrustedKeyGroupDoesNotExist TrustedSignerDoesNotExist`

// writeCodes classifies the errors of writing a distribution. An invalid document is a *fault.GiveUp; the caller finds the entry
// that is invalid.
var writeCodes = func() fault.Codes {
	c := fault.Codes{
		"PreconditionFailed": fault.AsReread, "InvalidIfMatchVersion": fault.AsReread, "DistributionAlreadyExists": fault.AsExists,
		"NoSuchDistribution": fault.AsReread, // the next read decides whether the distribution is gone
	}
	for code := range strings.FieldsSeq(invalid) {
		c[code] = fault.AsGiveUp
	}
	return c
}()

// Client is a CloudFront client that acts as one account's role.
type Client struct{ api *cloudfront.Client }

// New returns a client. The client calls us-east-1, where CloudFront's control plane is, whatever the Region of cfg.
func New(cfg aws.Config) *Client {
	return &Client{cloudfront.NewFromConfig(cfg, func(o *cloudfront.Options) { o.Region = "us-east-1" })}
}

// Distribution returns a distribution with its configuration. Both come from one response, so they belong together. It returns a
// *fault.Absent if the distribution does not exist.
func (c *Client) Distribution(ctx context.Context, id string) (origin.Served, error) {
	var raw bytes.Buffer
	out, err := c.api.GetDistribution(ctx, &cloudfront.GetDistributionInput{Id: &id}, keepBody(&raw))
	if err != nil {
		return origin.Served{}, codes.Wrap(err, "read distribution %s", id)
	}
	return served(out.Distribution.Id, out.Distribution.DomainName, out.Distribution.Status, out.ETag, raw.Bytes())
}

// Update replaces a distribution's configuration, and returns the new ETag. It returns a *fault.Reread if etag is stale. It sends the
// document unchanged, so that members newer than the SDK's types survive. It sends it once: a repeated call would count against the rate
// that CloudFront accepts from an account.
func (c *Client) Update(ctx context.Context, id, etag string, config []byte) (updated string, err error) {
	once := func(o *cloudfront.Options) { o.Retryer = aws.NopRetryer{} }
	out, err := c.api.UpdateDistribution(ctx, &cloudfront.UpdateDistributionInput{Id: &id, IfMatch: &etag}, sendBody(config), once)
	if err != nil {
		return "", writeCodes.Wrap(err, "update distribution %s", id)
	}
	return aws.ToString(out.ETag), nil
}

// Create creates a distribution. It returns a *fault.Exists if a distribution with the same caller reference exists already; Find
// finds it.
func (c *Client) Create(ctx context.Context, config []byte) (origin.Served, error) {
	var raw bytes.Buffer
	out, err := c.api.CreateDistribution(ctx, &cloudfront.CreateDistributionInput{}, sendBody(config), keepBody(&raw))
	if err != nil {
		return origin.Served{}, writeCodes.Wrap(err, "create distribution")
	}
	return served(out.Distribution.Id, out.Distribution.DomainName, out.Distribution.Status, out.ETag, raw.Bytes())
}

// Find returns the id of the distribution that was created with callerReference, or "" if there is none. Listed distributions
// have no caller reference, so Find reads them one by one. It begins with those that have the comment, which somebody may have
// changed.
func (c *Client) Find(ctx context.Context, callerReference, comment string) (string, error) {
	var likely, others []string
	pages := cloudfront.NewListDistributionsPaginator(c.api, &cloudfront.ListDistributionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", codes.Wrap(err, "list distributions")
		}
		for _, d := range page.DistributionList.Items {
			if aws.ToString(d.Comment) == comment {
				likely = append(likely, *d.Id)
			} else {
				others = append(others, *d.Id)
			}
		}
	}
	for _, id := range append(likely, others...) {
		out, err := c.api.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
		err = codes.Wrap(err, "read distribution %s", id)
		if fault.Is[*fault.Absent](err) {
			continue // deleted after it was listed
		}
		if err != nil {
			return "", err
		}
		if aws.ToString(out.DistributionConfig.CallerReference) == callerReference {
			return id, nil
		}
	}
	return "", nil
}

func served(id, domain, status, etag *string, raw []byte) (origin.Served, error) {
	config, err := configOf(raw)
	if err != nil {
		return origin.Served{}, &fault.GiveUp{Err: fmt.Errorf("read distribution %s: %w", aws.ToString(id), err)}
	}
	return origin.Served{
		ID: aws.ToString(id), Domain: aws.ToString(domain), Deployed: aws.ToString(status) == "Deployed",
		ETag: aws.ToString(etag), Config: config,
	}, nil
}

const namespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/"

// configOf returns the DistributionConfig of a response, byte for byte, as a document of its own. The SDK has parsed the response, so it is
// well-formed. The element is cut out without parsing the response again: no text that somebody else wrote precedes or follows it.
func configOf(response []byte) ([]byte, error) {
	const name, end = "<DistributionConfig", "</DistributionConfig>"
	from, to := bytes.Index(response, []byte(name)), bytes.LastIndex(response, []byte(end))
	if from < 0 || to < from {
		return nil, errors.New("the response has no DistributionConfig")
	}
	cut := response[from : to+len(end)]
	if cut[len(name)] != '>' { // it has attributes, one of which is the namespace
		return bytes.Clone(cut), nil
	}
	return slices.Concat([]byte(name+` xmlns="`+namespace+`"`), cut[len(name):]), nil
}

// keepBody copies the raw response into body before the SDK decodes it into types that may not know all of its members.
func keepBody(body *bytes.Buffer) func(*cloudfront.Options) {
	keep := middleware.DeserializeMiddlewareFunc("KeepBody", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok {
			return out, metadata, err
		}
		body.Reset()
		_, err = body.ReadFrom(response.Body)
		_ = response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		return out, metadata, err
	})
	return cloudfront.WithAPIOptions(func(s *middleware.Stack) error {
		return s.Deserialize.Insert(keep, "OperationDeserializer", middleware.After)
	})
}

// sendBody sends config as the request's body in place of a typed DistributionConfig.
func sendBody(config []byte) func(*cloudfront.Options) {
	send := middleware.SerializeMiddlewareFunc("SendBody", func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		request, err := in.Request.(*smithyhttp.Request).SetStream(bytes.NewReader(config))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, err
		}
		request.Header.Set("Content-Type", "application/xml")
		in.Request = request
		return next.HandleSerialize(ctx, in)
	})
	return cloudfront.WithAPIOptions(func(s *middleware.Stack) error {
		if _, err := s.Initialize.Remove("OperationInputValidation"); err != nil {
			return err
		}
		return s.Serialize.Insert(send, "OperationSerializer", middleware.After)
	})
}
