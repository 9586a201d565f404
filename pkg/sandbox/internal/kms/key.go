package kms

import (
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// KeyInput names a key, by id or ARN.
type KeyInput struct{ KeyId string }

// open finds the key of a call and authorizes the call with the key's policy.
func (s *Service) open(c *cloud.Call, name string) (*key, error) {
	k := s.find(c.Account(), c.Region, name)
	if k == nil {
		c.AuthorizeAnyone()
		return nil, noKey(name)
	}
	return k, c.AuthorizeWithResourcePolicy("kms:"+c.Operation.Name, k.arn, k.account, k.policy, nil)
}

// ListKeysInput is the input of ListKeys.
type ListKeysInput struct {
	Limit  int
	Marker string
}

// ListKeysOutput is the output of ListKeys.
type ListKeysOutput struct {
	Keys       []KeyListEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

// KeyListEntry is one key of a list.
type KeyListEntry struct{ KeyArn, KeyId string }

// listKeys implements ListKeys.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html
func (s *Service) listKeys(c *cloud.Call, in *ListKeysInput) (*ListKeysOutput, error) {
	if err := c.Authorize("kms:ListKeys", "*", nil); err != nil {
		return nil, err
	}
	out := &ListKeysOutput{Keys: []KeyListEntry{}}
	for _, k := range s.keys {
		if k.account == c.Account() && k.region == c.Region {
			out.Keys = append(out.Keys, KeyListEntry{k.arn, k.id})
		}
	}
	limit := in.Limit
	if limit == 0 {
		limit = 100
	}
	if limit < 1 || limit > 1000 {
		return nil, cloud.Errorf(400, "ValidationException", "1 validation error detected: Value '%d' at 'limit' must be from 1 to 1000", limit)
	}
	var ok bool
	if out.Keys, out.NextMarker, ok = cloud.Page(out.Keys, in.Marker, limit); !ok {
		return nil, cloud.Errorf(400, "InvalidMarkerException", "The marker is not valid.")
	}
	out.Truncated = out.NextMarker != ""
	return out, nil
}

// DescribeKeyOutput is the output of DescribeKey.
type DescribeKeyOutput struct{ KeyMetadata KeyMetadata }

// KeyMetadata is a key without its policy.
type KeyMetadata struct {
	AWSAccountId          string
	Arn                   string
	CreationDate          time.Time
	CustomerMasterKeySpec string
	DeletionDate          time.Time `json:",omitzero"`
	Description           string
	Enabled               bool
	EncryptionAlgorithms  []string
	KeyId                 string
	KeyManager            string
	KeySpec               string
	KeyState              string
	KeyUsage              string
	MultiRegion           bool
	Origin                string
}

// describeKey implements DescribeKey.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func (s *Service) describeKey(c *cloud.Call, in *KeyInput) (*DescribeKeyOutput, error) {
	k, err := s.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	const symmetric = "SYMMETRIC_DEFAULT"
	return &DescribeKeyOutput{KeyMetadata{
		AWSAccountId: k.account, Arn: k.arn, CreationDate: k.created, CustomerMasterKeySpec: symmetric, DeletionDate: k.deletion,
		Description: k.description, Enabled: k.state() == "Enabled", EncryptionAlgorithms: []string{symmetric}, KeyId: k.id, KeyManager: "CUSTOMER",
		KeySpec: symmetric, KeyState: k.state(), KeyUsage: "ENCRYPT_DECRYPT", Origin: "AWS_KMS",
	}}, nil
}

// KeyPolicyInput is the input of GetKeyPolicy. The only policy name is default.
type KeyPolicyInput struct{ KeyId, PolicyName string }

// KeyPolicyOutput is the output of KeyPolicy.
type KeyPolicyOutput struct{ Policy, PolicyName string }

// getKeyPolicy implements GetKeyPolicy.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
func (s *Service) getKeyPolicy(c *cloud.Call, in *KeyPolicyInput) (*KeyPolicyOutput, error) {
	k, err := s.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &KeyPolicyOutput{k.policy, "default"}, nil
}

// PutKeyPolicyInput is the input of PutKeyPolicy.
type PutKeyPolicyInput struct{ KeyId, Policy, PolicyName string }

// Empty is an output without members.
type Empty struct{}

// putKeyPolicy implements PutKeyPolicy.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
func (s *Service) putKeyPolicy(c *cloud.Call, in *PutKeyPolicyInput) (*Empty, error) {
	k, err := s.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &Empty{}, s.setPolicy(k, in.Policy, c.Caller)
}

// KeyRotationOutput is the output of GetKeyRotationStatus.
type KeyRotationOutput struct{ KeyRotationEnabled bool }

// getKeyRotationStatus implements GetKeyRotationStatus.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
func (s *Service) getKeyRotationStatus(c *cloud.Call, in *KeyInput) (*KeyRotationOutput, error) {
	k, err := s.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &KeyRotationOutput{k.rotates}, nil
}

// disableKey implements DisableKey.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
func (s *Service) disableKey(c *cloud.Call, in *KeyInput) (*Empty, error) {
	return s.enable(c, in, false)
}

// enableKey implements EnableKey.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
func (s *Service) enableKey(c *cloud.Call, in *KeyInput) (*Empty, error) {
	return s.enable(c, in, true)
}

func (s *Service) enable(c *cloud.Call, in *KeyInput, enabled bool) (*Empty, error) {
	k, err := s.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	if !k.deletion.IsZero() {
		return nil, cloud.Errorf(400, "KMSInvalidStateException", "%s is pending deletion.", k.arn)
	}
	k.enabled = enabled
	return &Empty{}, nil
}
