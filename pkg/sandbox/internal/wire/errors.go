package wire

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// EncodeError writes an API error in the service's protocol.
func (c *Codec) EncodeError(w http.ResponseWriter, requestID string, e *cloud.Error) {
	EncodeError(w, c.service, requestID, e)
}

// EncodeError writes an API error in the protocol of a service. It needs no codec, so it can respond for a service that the
// sandbox does not have: a Service with only a Protocol is enough.
func EncodeError(w http.ResponseWriter, s *cloud.Service, requestID string, e *cloud.Error) {
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if code := queryCode(s.Name); code != nil {
		w.Header().Set("X-Amzn-Query-Error", code(e.Code)+";"+fault(status))
	}
	c := Codec{service: s}
	switch s.Protocol {
	case cloud.JSON10, cloud.JSON11, cloud.RESTJSON:
		if s.Protocol == cloud.RESTJSON {
			w.Header().Set("X-Amzn-Errortype", e.Code)
		}
		body := append([]byte(`{"__type":`), AppendString(nil, e.Code)...)
		body = append(append(body, `,"message":`...), AppendString(nil, e.Message)...)
		for _, name := range slices.Sorted(maps.Keys(e.Members)) {
			body = append(append(append(body, ','), AppendString(nil, name)...), ':')
			value, err := (&types{}).appendJSON(nil, reflect.ValueOf(e.Members[name]))
			if err != nil {
				value = []byte("null")
			}
			body = append(body, value...)
		}
		write(w, s, status, requestID, c.contentType(), append(body, '}'))
	case cloud.RPCCBOR:
		write(w, s, status, requestID, c.contentType(), errorCBOR(e))
	case cloud.EC2Query:
		write(w, s, status, requestID, c.contentType(), xmlError(e, []string{"Response", "Errors", "Error"}, "RequestID", requestID, ""))
	default:
		write(w, s, status, requestID, c.contentType(), xmlError(e, []string{"ErrorResponse", "Error"}, "RequestId", requestID, s.Namespace))
	}
}

func fault(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// queryCode returns how a service that formerly spoke the Query protocol translates an error code into the one of that protocol, which
// clients still read from a header. It returns nil for other services.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
func queryCode(service string) func(code string) string {
	switch service {
	case "sqs":
		return sqsQueryCode
	case "monitoring":
		return cloudWatchQueryCode
	}
	return nil
}

// cloudWatchQueryCode is according to the error traits of aws-sdk-go-v2/service/cloudwatch v1.75.5.
func cloudWatchQueryCode(code string) string {
	switch code {
	case "DashboardInvalidInputError":
		return "InvalidParameterInput"
	case "DashboardNotFoundError":
		return "ResourceNotFound"
	case "InternalServiceFault":
		return "InternalServiceError"
	case "InvalidFormatFault":
		return "InvalidFormat"
	case "InvalidParameterCombinationException":
		return "InvalidParameterCombination"
	case "InvalidParameterValueException":
		return "InvalidParameterValue"
	case "LimitExceededFault":
		return "LimitExceeded"
	case "MissingRequiredParameterException":
		return "MissingParameter"
	case "ValidationException":
		return "ValidationError"
	}
	return code
}

// sqsQueryCode is according to
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
func sqsQueryCode(code string) string {
	switch code {
	case "QueueDoesNotExist":
		return "AWS.SimpleQueueService.NonExistentQueue"
	case "QueueNameExists":
		return "QueueAlreadyExists"
	case "KmsAccessDenied":
		return "KMS.AccessDeniedException"
	case "KmsDisabled":
		return "KMS.DisabledException"
	case "KmsInvalidState":
		return "KMS.InvalidStateException"
	case "KmsNotFound":
		return "KMS.NotFoundException"
	case "QueueDeletedRecently", "PurgeQueueInProgress", "UnsupportedOperation", "MessageNotInflight",
		"EmptyBatchRequest", "TooManyEntriesInBatchRequest", "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "InvalidBatchEntryId":
		return "AWS.SimpleQueueService." + code
	}
	return code
}

func xmlError(e *cloud.Error, open []string, idName, requestID, namespace string) []byte {
	var b bytes.Buffer
	b.WriteString(xmlHeader)
	for i, name := range open {
		b.WriteString("<" + name)
		if i == 0 && namespace != "" {
			b.WriteString(` xmlns="` + namespace + `"`)
		}
		b.WriteString(">")
	}
	text := func(name, s string) {
		b.WriteString("<" + name + ">")
		// A bytes.Buffer cannot fail.
		_ = xml.EscapeText(&b, []byte(s))
		b.WriteString("</" + name + ">")
	}
	if open[0] == "ErrorResponse" {
		text("Type", fault(e.Status))
	}
	text("Code", e.Code)
	text("Message", e.Message)
	for i := len(open) - 1; i > 0; i-- {
		b.WriteString("</" + open[i] + ">")
	}
	text(idName, requestID)
	b.WriteString("</" + open[0] + ">")
	return b.Bytes()
}
