package cloud

// Protocol is the wire format of a service.
type Protocol int

// These are the wire formats that the sandbox speaks.
const (
	RESTXML Protocol = iota
	RESTJSON
	JSON10
	JSON11
	Query
	EC2Query
	RPCCBOR
)

// Service is one AWS service: its wire format and its operations. The package wire turns HTTP requests into inputs and
// outputs into responses by reflection over the input and output types.
//
// Fields of inputs and outputs are bound by struct tags:
//
//	loc:"uri"     name:"Id"        a {Id} label of Operation.Path (inputs)
//	loc:"query"   name:"MaxItems"  a query string parameter (inputs)
//	loc:"header"  name:"If-Match"  a header (inputs and outputs)
//	loc:"payload"                  the whole body is this member (REST protocols); its Go type may be RawXML
//	loc:"status"                   the HTTP status (outputs, int)
//
// Everything else is the body: by its `json` tag (JSON protocols, RESTJSON and RPCCBOR), by its `xml` tag (RESTXML, XML answers of
// Query and EC2Query), and by its `query` tag for Query and EC2Query inputs (`query:"RoleArn"`, lists as
// `query:"LoadBalancerArns.member"` for Query and `query:"Filter"` for EC2Query). An unknown body member or query
// parameter is an error that names it.
type Service struct {
	Name         string // signing name, e.g. "cloudfront", "states", "events"
	Protocol     Protocol
	Global       bool   // calls are recorded in us-east-1 whatever the Region of the signature
	EventSource  string // of CloudTrail records, e.g. "cloudfront.amazonaws.com"
	TrailVersion string // apiVersion of CloudTrail records, e.g. "2020_05_31"; omitted when empty
	TargetPrefix string // JSON protocols: "DynamoDB_20120810" of X-Amz-Target; RPCCBOR: the service in the path
	Version      string // Query protocols: API version; REST-XML: unused
	Namespace    string // xmlns of XML bodies
	Operations   []Operation
}

// RawXML is the unchanged text of one XML element, with its name, attributes and children.
type RawXML []byte

// MarshalText keeps the document readable in the JSON form of an input.
func (x RawXML) MarshalText() ([]byte, error) { return x, nil }

// Operation is one API operation.
type Operation struct {
	Name   string
	Method string // REST protocols
	Path   string // REST protocols: "/2020-05-31/distribution/{Id}/config"; a fixed query may follow: "/2020-05-31/tagging?Operation=Tag"
	Status int    // HTTP status of success, 200 when zero
	// ReadOnly operations and data-plane operations leave no CloudTrail record.
	ReadOnly  bool
	DataPlane bool
	// Unlocked handlers run without the world locked and lock it themselves (World.Do), even for Authorize. They are for
	// operations that wait for a hosted function.
	Unlocked bool
	NewInput func() any
	Handle   func(c *Call, in any) (any, error)
}

// Op returns an operation with a typed handler. The handler runs with the world locked. It must call c.Authorize before it reads
// or changes anything.
func Op[I, O any](op Operation, handle func(c *Call, in *I) (*O, error)) Operation {
	op.NewInput = func() any { return new(I) }
	op.Handle = func(c *Call, in any) (any, error) {
		out, err := handle(c, in.(*I))
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	return op
}

// Trailed inputs and outputs define what CloudTrail records of them. Of other inputs CloudTrail records the JSON with lower-camel
// keys (requestParameters), of other outputs nothing (responseElements).
type Trailed interface{ TrailRecord() any }
