package policy_test

import (
	"errors"
	"fmt"

	"github.com/originhub/originhub/pkg/policy"
)

func ExampleParse() {
	p, err := policy.Parse([]byte(`version: 1
hub: networking
distribution:
  adopt: EDFDVBD6EXAMPLE
domain: example.com
hostedZone: Z0123456789EXAMPLE
certificate: arn:aws:acm:us-east-1:100000000000:certificate/11111111-2222-4333-8444-555555555555
spokes:
  externalId: 7f3a-networking
teams:
  - name: orders
    accounts: ["111111111111"]
    grants:
      - host: orders.example.com
        paths: ["/orders/*"]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, team := range p.Teams {
		for _, grant := range team.Grants {
			fmt.Println(team.Name, "may claim", grant.Paths, "of", grant.Host)
		}
	}
	// Output: orders may claim [/orders/*] of orders.example.com
}

// An error contains everything that is wrong, with its place.
func ExampleParse_errors() {
	_, err := policy.Parse([]byte(`version: 1
hub: networking
distribution:
  adopt: EDFDVBD6EXAMPLE
domain: example.com
hostedZone: Z0123456789EXAMPLE
certificate: arn:aws:acm:us-east-1:100000000000:certificate/11111111-2222-4333-8444-555555555555
spokes:
  externalId: 7f3a-networking
teams:
  - name: orders
    accounts: ["111111111111"]
    grants:
      - host: orders.example.net
        paths: ["/orders/*"]
  - name: invoices
    accounts: ["222222222222"]
    grants:
      - host: invoices.example.com
        paths: ["/orders/v2/*"]
`))
	var wrong policy.Errors
	if errors.As(err, &wrong) {
		for _, e := range wrong {
			fmt.Println(e)
		}
	}
	// Output:
	// line 14, column 9: host orders.example.net is not covered by domain example.com with aliases: wildcard; correct the host
	// line 20, column 17: invoices is granted invoices.example.com/orders/v2/*, which overlaps orders.example.net/orders/* of orders on line 15: behaviors match on the path alone, whatever the host, so grant each path to one team
}
