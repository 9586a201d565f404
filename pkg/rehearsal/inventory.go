package rehearsal

import (
	"encoding/json"
	"fmt"

	"github.com/originhub/originhub/pkg/sandbox"
)

// Inventory lists the resources of an account that a teardown could leave behind.
type Inventory struct {
	VPCOrigins int
	Shares     int      // those that are not deleted
	ENIs       []string // ids of network interfaces that CloudFront manages
	Groups     []string // ids of security groups that CloudFront manages
}

// ReadInventory returns the inventory of an account, from a snapshot of the sandbox.
func ReadInventory(s *sandbox.Sandbox, account string) (Inventory, error) {
	accounts, _ := s.State()["accounts"].(map[string]any)
	snapshot, found := accounts[account].(map[string]any)
	if !found {
		return Inventory{}, fmt.Errorf("the snapshot has no account %s", account)
	}
	raw, err := json.Marshal(map[string]any{"cloudfront": snapshot["cloudfront"], "ram": snapshot["ram"], "ec2": snapshot["ec2"]})
	if err != nil {
		return Inventory{}, err
	}
	var a struct {
		CloudFront struct {
			VPCOrigins []struct{} `json:"vpcOrigins"`
		} `json:"cloudfront"`
		RAM struct {
			Shares []struct {
				Status string `json:"status"`
			} `json:"shares"`
		} `json:"ram"`
		EC2 struct {
			Interfaces []struct {
				ID     string `json:"id"`
				Origin string `json:"vpcOrigin"`
			} `json:"networkInterfaces"`
			Groups []struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"securityGroups"`
		} `json:"ec2"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return Inventory{}, fmt.Errorf("read the snapshot: %w", err)
	}
	held := Inventory{VPCOrigins: len(a.CloudFront.VPCOrigins)}
	for _, share := range a.RAM.Shares {
		if share.Status != "DELETED" {
			held.Shares++
		}
	}
	for _, e := range a.EC2.Interfaces {
		if e.Origin != "" {
			held.ENIs = append(held.ENIs, e.ID)
		}
	}
	for _, g := range a.EC2.Groups {
		if g.Name == "CloudFront-VPCOrigins-Service-SG" {
			held.Groups = append(held.Groups, g.ID)
		}
	}
	return held, nil
}
