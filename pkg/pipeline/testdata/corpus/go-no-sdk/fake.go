package fake

type client struct{}

func (client) DeleteVpcOrigin(id string) error { return nil }

func use(cloudfront client) error { return cloudfront.DeleteVpcOrigin("vo_1") }
