package cloud

// KeyUse is one use of a KMS key by a service for a principal.
type KeyUse struct {
	Key             string // id, ARN, or the alias of a key that AWS manages
	Account, Region string // of the resource that is encrypted with the key
	Principal       Principal
	Via             string            // the service, by its signing name
	Context         map[string]string // the encryption context
	Actions         []string          // "kms:Decrypt"
}

// Keys decides who may use a KMS key.
type Keys interface {
	// Use returns KMS's API error if the principal may not use the key. statement is the policy statement that decided. Called
	// with the world locked.
	Use(KeyUse) (statement string, err error)
}

// UseKey checks that the caller may use the key that encrypts one of owner's resources. An empty key needs no check. Each service
// returns the error in its own words. Call it after Authorize.
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
