package cloudfront

import (
	"encoding/base64"
	"encoding/xml"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// The limits are those of https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
const (
	maxFunctions    = 100
	maxFunctionCode = 10 << 10 // bytes
)

const (
	stageDevelopment = "DEVELOPMENT"
	stageLive        = "LIVE"
)

type function struct {
	account, name, arn string

	created     time.Time
	tags        map[string]string
	development stage
	live        *stage // nil until published
}

type stage struct {
	etag     string
	modified time.Time
	config   FunctionConfig
	code     []byte
}

// FunctionConfig is the wire form of a function's settings.
type FunctionConfig struct {
	Comment                   string                     `xml:"Comment"`
	Runtime                   string                     `xml:"Runtime"`
	KeyValueStoreAssociations *KeyValueStoreAssociations `xml:"KeyValueStoreAssociations,omitempty"`
}

// KeyValueStoreAssociations is the wire form of the stores that a function reads.
type KeyValueStoreAssociations struct {
	Quantity int      `xml:"Quantity"`
	Items    []string `xml:"Items>KeyValueStoreAssociation>KeyValueStoreARN"`
}

// FunctionSummary is the wire form of a function's stage.
type FunctionSummary struct {
	XMLName          xml.Name         `xml:"FunctionSummary" json:"-"`
	Name             string           `xml:"Name"`
	Status           string           `xml:"Status"`
	FunctionConfig   FunctionConfig   `xml:"FunctionConfig"`
	FunctionMetadata FunctionMetadata `xml:"FunctionMetadata"`
}

// FunctionMetadata is the wire form of a function's metadata.
type FunctionMetadata struct {
	FunctionARN      string `xml:"FunctionARN"`
	Stage            string `xml:"Stage"`
	CreatedTime      string `xml:"CreatedTime"`
	LastModifiedTime string `xml:"LastModifiedTime"`
}

// CreateFunctionInput is the input of CreateFunction. FunctionCode is base64.
type CreateFunctionInput struct {
	Name           string          `xml:"Name"`
	FunctionConfig *FunctionConfig `xml:"FunctionConfig"`
	FunctionCode   string          `xml:"FunctionCode" json:"-"`
	Tags           *Tags           `xml:"Tags"`
}

// FunctionOutput is the output of the operations that return a function's summary.
type FunctionOutput struct {
	ETag            string           `loc:"header" name:"ETag"`
	Location        string           `loc:"header" name:"Location"`
	FunctionSummary *FunctionSummary `loc:"payload"`
}

// FunctionStageInput is the input of DescribeFunction and GetFunction.
type FunctionStageInput struct {
	Name  string `loc:"uri" name:"Name"`
	Stage string `loc:"query" name:"Stage"`
}

// GetFunctionOutput is the output of GetFunction, with the code.
type GetFunctionOutput struct {
	ETag         string `loc:"header" name:"ETag"`
	ContentType  string `loc:"header" name:"Content-Type"`
	FunctionCode []byte `loc:"payload"`
}

// UpdateFunctionInput is the input of UpdateFunction. FunctionCode is base64.
type UpdateFunctionInput struct {
	Name           string          `loc:"uri" name:"Name"`
	IfMatch        string          `loc:"header" name:"If-Match"`
	FunctionConfig *FunctionConfig `xml:"FunctionConfig"`
	FunctionCode   string          `xml:"FunctionCode" json:"-"`
}

// UpdateFunctionOutput is the output of UpdateFunction.
type UpdateFunctionOutput struct {
	ETag            string           `loc:"header" name:"ETtag"` // the API model has this spelling
	FunctionSummary *FunctionSummary `loc:"payload"`
}

// FunctionVersionInput is the input of PublishFunction and DeleteFunction.
type FunctionVersionInput struct {
	Name    string `loc:"uri" name:"Name"`
	IfMatch string `loc:"header" name:"If-Match"`
}

// ListFunctionsInput is the input of ListFunctions.
type ListFunctionsInput struct {
	Marker   string `loc:"query" name:"Marker"`
	MaxItems int    `loc:"query" name:"MaxItems"`
	Stage    string `loc:"query" name:"Stage"`
}

// ListFunctionsOutput is the output of ListFunctions.
type ListFunctionsOutput struct {
	FunctionList *FunctionList `loc:"payload"`
}

// FunctionList is the wire form of a page of functions.
type FunctionList struct {
	XMLName    xml.Name          `xml:"FunctionList" json:"-"`
	NextMarker string            `xml:"NextMarker,omitempty"`
	MaxItems   int               `xml:"MaxItems"`
	Quantity   int               `xml:"Quantity"`
	Items      []FunctionSummary `xml:"Items>FunctionSummary"`
}

// createFunction implements CreateFunction.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateFunction.html
func (s *Service) createFunction(c *cloud.Call, in *CreateFunctionInput) (*FunctionOutput, error) {
	arn := functionARN(c.Account(), in.Name)
	if err := s.authorize(c, access{action: "cloudfront:CreateFunction", arn: arn, requestTags: tagMap(in.Tags)}); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	if err := mergeTags(tags, in.Tags); err != nil {
		return nil, err
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`).MatchString(in.Name) {
		return nil, invalidArgument("The function name %q must have 1 to 64 letters, digits, - or _.", in.Name)
	}
	code, err := functionCode(in.FunctionConfig, in.FunctionCode)
	if err != nil {
		return nil, err
	}
	if s.functions[arn] != nil {
		return nil, cloud.Errorf(409, "FunctionAlreadyExists",
			"A function with the same name already exists in this AWS account: %s", in.Name)
	}
	if len(s.functionsOf(c.Account())) >= maxFunctions {
		return nil, cloud.Errorf(400, "TooManyFunctions",
			"You have reached the maximum number of CloudFront functions for this AWS account.")
	}
	f := &function{
		account: c.Account(), name: in.Name, arn: arn, created: s.now(), tags: tags,
		development: stage{s.newETag(), s.now(), *in.FunctionConfig, code},
	}
	s.functions[arn] = f
	return &FunctionOutput{
		ETag: f.development.etag, Location: "https://cloudfront.amazonaws.com/2020-05-31/function/" + arn,
		FunctionSummary: s.summary(f, stageDevelopment),
	}, nil
}

// describeFunction implements DescribeFunction.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DescribeFunction.html
func (s *Service) describeFunction(c *cloud.Call, in *FunctionStageInput) (*FunctionOutput, error) {
	f, st, err := s.functionStage(c, "cloudfront:DescribeFunction", in)
	if err != nil {
		return nil, err
	}
	return &FunctionOutput{ETag: st.etag, FunctionSummary: s.summary(f, stageName(in.Stage))}, nil
}

// getFunction implements GetFunction.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetFunction.html
func (s *Service) getFunction(c *cloud.Call, in *FunctionStageInput) (*GetFunctionOutput, error) {
	_, st, err := s.functionStage(c, "cloudfront:GetFunction", in)
	if err != nil {
		return nil, err
	}
	return &GetFunctionOutput{ETag: st.etag, ContentType: "application/octet-stream", FunctionCode: st.code}, nil
}

// updateFunction implements UpdateFunction.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateFunction.html
func (s *Service) updateFunction(c *cloud.Call, in *UpdateFunctionInput) (*UpdateFunctionOutput, error) {
	f, err := s.function(c, "cloudfront:UpdateFunction", in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, f.development.etag); err != nil {
		return nil, err
	}
	code, err := functionCode(in.FunctionConfig, in.FunctionCode)
	if err != nil {
		return nil, err
	}
	f.development = stage{s.newETag(), s.now(), *in.FunctionConfig, code}
	return &UpdateFunctionOutput{ETag: f.development.etag, FunctionSummary: s.summary(f, stageDevelopment)}, nil
}

// publishFunction implements PublishFunction. A published function runs at once (assumption CF-24).
// publishFunction implements PublishFunction.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_PublishFunction.html
func (s *Service) publishFunction(c *cloud.Call, in *FunctionVersionInput) (*FunctionOutput, error) {
	f, err := s.function(c, "cloudfront:PublishFunction", in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, f.development.etag); err != nil {
		return nil, err
	}
	live := f.development
	live.etag, live.modified = s.newETag(), s.now()
	f.live = &live
	return &FunctionOutput{FunctionSummary: s.summary(f, stageLive)}, nil
}

// deleteFunction implements DeleteFunction.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteFunction.html
func (s *Service) deleteFunction(c *cloud.Call, in *FunctionVersionInput) (*Empty, error) {
	f, err := s.function(c, "cloudfront:DeleteFunction", in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, f.development.etag); err != nil {
		return nil, err
	}
	if n := len(s.functionUsers(f.arn)); n > 0 {
		return nil, cloud.Errorf(409, "FunctionInUse", "Cannot delete function %s, it is in use by %d distributions", f.name, n)
	}
	delete(s.functions, f.arn)
	return &Empty{}, nil
}

// listFunctions implements ListFunctions.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListFunctions.html
func (s *Service) listFunctions(c *cloud.Call, in *ListFunctionsInput) (*ListFunctionsOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListFunctions", arn: "*"}); err != nil {
		return nil, err
	}
	var found []FunctionSummary
	for _, f := range s.functionsOf(c.Account()) {
		if in.Stage == "" || in.Stage == stageDevelopment {
			found = append(found, *s.summary(f, stageDevelopment))
		}
		if f.live != nil && (in.Stage == "" || in.Stage == stageLive) {
			found = append(found, *s.summary(f, stageLive))
		}
	}
	items, l := paginate(found, func(f FunctionSummary) string { return f.Name + " " + f.FunctionMetadata.Stage },
		in.Marker, in.MaxItems)
	return &ListFunctionsOutput{&FunctionList{
		NextMarker: l.NextMarker, MaxItems: l.MaxItems, Quantity: l.Quantity, Items: items,
	}}, nil
}

func (s *Service) summary(f *function, name string) *FunctionSummary {
	st, status := f.development, "UNPUBLISHED"
	if name == stageLive {
		st, status = *f.live, "UNASSOCIATED"
		if len(s.functionUsers(f.arn)) > 0 {
			status = "DEPLOYED"
		}
	}
	return &FunctionSummary{Name: f.name, Status: status, FunctionConfig: st.config, FunctionMetadata: FunctionMetadata{
		FunctionARN: f.arn, Stage: name, CreatedTime: timestamp(f.created), LastModifiedTime: timestamp(st.modified),
	}}
}

func functionCode(config *FunctionConfig, encoded string) ([]byte, error) {
	if config == nil {
		return nil, missingMember("functionConfig")
	}
	if config.Runtime != "cloudfront-js-1.0" && config.Runtime != "cloudfront-js-2.0" {
		return nil, invalidArgument("The runtime %q must be cloudfront-js-1.0 or cloudfront-js-2.0.", config.Runtime)
	}
	if config.KeyValueStoreAssociations != nil && config.KeyValueStoreAssociations.Quantity > 0 {
		return nil, cloud.Errorf(501, "NotImplemented",
			"the sandbox does not implement KeyValueStoreAssociations of CloudFront functions")
	}
	code, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil:
		return nil, malformedInput("FunctionCode is not base64: %v", err)
	case len(code) == 0:
		return nil, missingMember("functionCode")
	case len(code) > maxFunctionCode:
		return nil, cloud.Errorf(413, "FunctionSizeLimitExceeded", "The function is too large: %s bytes, the limit is %d.",
			strconv.Itoa(len(code)), maxFunctionCode)
	}
	return code, nil
}

func stageName(name string) string {
	if name == "" {
		return stageDevelopment
	}
	return name
}

func (s *Service) functionStage(c *cloud.Call, action string, in *FunctionStageInput) (*function, *stage, error) {
	f, err := s.function(c, action, in.Name)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case stageName(in.Stage) == stageDevelopment:
		return f, &f.development, nil
	case in.Stage == stageLive && f.live != nil:
		return f, f.live, nil
	case in.Stage == stageLive:
		return nil, nil, noSuchFunction()
	}
	return nil, nil, invalidArgument("The stage %q must be DEVELOPMENT or LIVE.", in.Stage)
}

// function finds one of the caller's functions by name and authorizes the call on it.
func (s *Service) function(c *cloud.Call, action, name string) (*function, error) {
	arn := functionARN(c.Account(), name)
	f := s.functions[arn]
	a := access{action: action, arn: arn}
	if f != nil {
		a.tags = f.tags
	}
	if err := s.authorize(c, a); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, noSuchFunction()
	}
	return f, nil
}

func (s *Service) functionsOf(account string) []*function {
	var list []*function
	for _, f := range s.functions {
		if f.account == account {
			list = append(list, f)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}

// functionUsers returns the ids of the distributions whose current configuration uses the function.
func (s *Service) functionUsers(arn string) []string {
	var ids []string
	for _, d := range s.distributions {
		behaviors := append(slices.Clone(d.config().Items("CacheBehaviors")), d.config().At("DefaultCacheBehavior"))
		if slices.ContainsFunc(behaviors, func(b *Element) bool {
			return slices.ContainsFunc(b.Items("FunctionAssociations"), func(f *Element) bool { return f.Value("FunctionARN") == arn })
		}) {
			ids = append(ids, d.id)
		}
	}
	slices.Sort(ids)
	return ids
}

func functionARN(account, name string) string {
	return "arn:aws:cloudfront::" + account + ":function/" + name
}
