package events

import (
	"encoding/base64"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// principal is EventBridge acting for the bus.
func (b *bus) principal() cloud.Principal {
	return cloud.Principal{Service: principal, ARN: principal, SourceARN: b.arn}
}

// What EventBridge does with the key of a bus, and with that of an archive.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
func ofBus() []string { return []string{"kms:GenerateDataKey", "kms:Decrypt"} }

func ofArchive() []string { return append(ofBus(), "kms:ReEncryptFrom", "kms:ReEncryptTo") }

// unlock asks whether EventBridge may use the key of a bus, or of an archive of the bus. It asks KMS for itself, so that who
// puts events needs no permission on the key.
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

// lock asks whether EventBridge may look at a key that a bus or an archive is given. Assumption EV-16.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
func (s *Service) lock(b *bus, key string) error {
	if err := s.unlock(b, key, "kms:DescribeKey"); err != nil {
		return errInvalid("Key %s cannot be used: %v", key, err)
	}
	return nil
}

// bury sends what a bus could not read to the dead letters of the bus, or drops it. Assumption EV-14.
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
