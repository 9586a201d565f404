package registry

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// The audit has a partition of its own, which no other function reads.
const (
	partitionAudit = "audit"
	itemFindings   = "findings"
)

// Findings reads what the audit remembers.
func (r *Registry) Findings(ctx context.Context) (origin.Findings, error) {
	var f origin.Findings
	out, err := r.client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &r.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": text(partitionAudit)},
	})
	if err != nil {
		return f, codes.Wrap(err, "read findings")
	}
	for _, item := range out.Items {
		if err := json.Unmarshal([]byte(stringOf(item[attrDocument])), &f); err != nil {
			return f, &fault.GiveUp{Err: fmt.Errorf("read findings: item %s: %w", stringOf(item[attrItem]), err)}
		}
		if f.Version, err = versionOf(item); err != nil {
			return f, &fault.GiveUp{Err: fmt.Errorf("read findings: item %s: %w", stringOf(item[attrItem]), err)}
		}
	}
	return f, nil
}

// PutFindings writes them if the version is still the one that was read; else it is a fault.Reread.
func (r *Registry) PutFindings(ctx context.Context, f origin.Findings) error {
	_, err := r.put(ctx, partitionAudit, itemFindings, f.Version, f)
	return err
}
