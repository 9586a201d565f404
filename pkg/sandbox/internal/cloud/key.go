package cloud

// KeyUse is what a service does with a KMS key for somebody.
type KeyUse struct {
	Key             string // id, ARN, or the alias of a key that AWS manages
	Account, Region string // of the resource that rests under the key
	Principal       Principal
	Via             string            // the service, by its signing name
	Context         map[string]string // the encryption context
	Actions         []string          // "kms:Decrypt"
}

// Keys is what other services ask KMS.
type Keys interface {
	// Use answers why the principal may not: an API error of KMS's. statement is the one that decided. Called with the world
	// locked.
	Use(KeyUse) (statement string, err error)
}

// UseKey asks whether the caller may use the key that one of owner's resources rests under. Without a key of the owner's
// there is nothing to ask. Each service tells its callers of a refusal in its own words. Call it after Authorize.
func (c *Call) UseKey(key, owner string, context map[string]string, actions ...string) *Error {
	if key == "" {
		return nil
	}
	statement, err := c.World.Keys.Use(KeyUse{
		Key: key, Account: owner, Region: c.Region, Principal: c.Caller, Via: c.Service.Name, Context: context, Actions: actions,
	})
	if err == nil {
		return nil
	}
	c.record.Allowed, c.record.Statement = false, statement
	return AsError(err)
}
