package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/registry"
	"github.com/originhub/originhub/pkg/wiring"
)

// rewrite gives the functions' policy another value of one key.
func (o *worldOptions) rewrite(key, value string) (err error) {
	change, ok := map[string][2]string{
		"refused":        {"refused: leave", "refused: " + value},
		"aliases":        {"aliases: wildcard", "aliases: " + value},
		"originsPerTeam": {"originsPerTeam: 25", "originsPerTeam: " + value},
		"maximum":        {"priceClass: PriceClass_100", "maximum: " + value},
		"host":           {"- host: ", "- host: '" + value + "' # "}, // that every team is granted
	}[key]
	if !ok {
		return fmt.Errorf("unknown option %s", key)
	}
	if o.Policy == nil {
		o.Policy, err = os.ReadFile(filepath.Join(o.Templates, contract.PolicyFile))
	}
	o.Policy = bytes.ReplaceAll(o.Policy, []byte(change[0]), []byte(change[1]))
	return err
}

// quota TEAM CODE VALUE: AWS grants an account another value of a quota. The hub's account is called networking.
func (s *tale) quota(_ *testscript.TestScript, args []string) error {
	account := hubAccount
	if a := s.actors[args[0]]; a != nil {
		account = a.account
	}
	value, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	return s.SetQuota(account, args[1], value)
}

func (s *tale) snapshot() (origin.Snapshot, error) {
	return registry.New(s.Config(hubAccount, region), s.outputs["RegistryTable"]).Load(s.ctx)
}

// holds DISTRIBUTION N: the registry has so many live origins in the distribution of that name, and its configuration holds
// these and no other of ours.
func (s *tale) holds(_ *testscript.TestScript, args []string) error {
	known, err := s.snapshot()
	if err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, known.Distribution(args[0]).ID)
	if err != nil {
		return err
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return err
	}
	live := 0
	for _, o := range known.Records {
		here := o.Distribution == args[0] && o.State == origin.Live
		if here != config.Uses(o.ID) {
			return fmt.Errorf("the registry says %s is %s in %s; that the configuration of %s has it is %v", o.ID, o.State, o.Distribution, args[0], config.Uses(o.ID))
		}
		if here {
			live++
		}
	}
	return want(strconv.Itoa(live) == args[1], "%s holds %d live origins, want %s", args[0], live, args[1])
}

// is-on NAME DISTRIBUTION: the registry has the origin in the distribution of that name.
func (s *tale) isOn(_ *testscript.TestScript, args []string) error {
	r, _, err := s.record(args[0])
	return errors.Join(err, want(r.Distribution == args[1], "%s is on %s, want %s", args[0], r.Distribution, args[1]))
}

// alias DISTRIBUTION HOST there|absent: the distribution of that name has the alias, or no alias of that name.
func (s *tale) alias(_ *testscript.TestScript, args []string) error {
	known, err := s.snapshot()
	if err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, known.Distribution(args[0]).ID)
	if err != nil {
		return err
	}
	config, err := wiring.ParseConfig(served.Config)
	if err != nil {
		return err
	}
	return want(slices.Contains(config.Aliases(), args[1]) == (args[2] == "there"), "%s has the aliases %s", args[0], config.Aliases())
}

// distributions N: the hub's account has so many.
func (s *tale) distributions(_ *testscript.TestScript, args []string) error {
	list, err := s.hubCloudFront.ListDistributions(s.ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return err
	}
	n := len(list.DistributionList.Items)
	for _, d := range list.DistributionList.Items {
		if !aws.ToBool(d.Enabled) {
			return fmt.Errorf("distribution %s is disabled", aws.ToString(d.Id))
		}
	}
	return want(strconv.Itoa(n) == args[0], "there are %d distributions, want %s", n, args[0])
}

// logged TEXT: some function logged it.
func (s *tale) logged(_ *testscript.TestScript, args []string) error {
	return want(bytes.Contains(s.logs.Bytes(), []byte(args[0])), "nobody logged %q", args[0])
}
