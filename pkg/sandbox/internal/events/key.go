package events

import (
	"encoding/base64"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// principal returns EventBridge acting for the bus.
func (b *bus) principal() cloud.Principal {
	return cloud.Principal{Service: principal, ARN: principal, SourceARN: b.arn}
}

// ofBus and ofArchive return the actions that EventBridge performs with the key of a bus and of an archive.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
func ofBus() []string { return []string{"kms:GenerateDataKey", "kms:Decrypt"} }

func ofArchive() []string { return append(ofBus(), "kms:ReEncryptFrom", "kms:ReEncryptTo") }

// unlock checks that EventBridge may use the key of a bus, or of an archive of the bus. EventBridge acts for itself, so the
// caller of PutEvents needs no permission on the key.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
func (s *Service) unlock(b *bus, key string, actions ...string) error {
	if key == "" {
		return nil
	}
	_, err := s.world.Keys.Use(cloud.KeyUse{
		Key: key, Account: b.account, Region: b.region, Principal: b.principal(), Via: "events",
		Context: map[string]string{"aws:events:event-bus:arn": b.arn}, Actions: actions,
	})
	return err
}

// lock checks that EventBridge may describe the key of a new bus or archive. Assumption EV-16.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
func (s *Service) lock(b *bus, key string) error {
	if err := s.unlock(b, key, "kms:DescribeKey"); err != nil {
		return errInvalid("Key %s cannot be used: %v", key, err)
	}
	return nil
}

// bury sends an event that a bus could not decrypt to the bus's dead-letter queue, or drops it. Assumption EV-14.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq-decrypt.html
func (s *Service) bury(b *bus, e *envelope, text []byte, why *cloud.Error) {
	b.lastError = why.Error()
	if b.deadLetters == "" {
		b.lost++
		return
	}
	letter := *e
	letter.ID, letter.Source, letter.DetailType = s.world.IDs.UUID(), "aws.events", "Encrypted Events"
	var err error
	if letter.Detail, err = marshal(map[string]string{
		"event-bus-arn": b.arn, "kms-key-arn": b.key, "encrypted-payload": base64.StdEncoding.EncodeToString(text),
	}); err != nil {
		return // strings only
	}
	body, err := marshal(&letter)
	if err != nil {
		return // put and Emit have checked the rest
	}
	in := sqs.NewMessage(b.deadLetters, string(body), map[string]sqs.Attribute{
		"ERROR_CODE": sqs.StringAttribute(deadLetterCode(why)), "ERROR_MESSAGE": sqs.StringAttribute(why.Error()),
	})
	s.world.Clock.After(0, "dead letter of "+b.arn, func() {
		if _, err := s.world.Invoke(b.principal(), regionOf(b.deadLetters), "sqs", "SendMessage", in); err != nil {
			s.world.Do(func() { b.lost++ })
		}
	})
}
