package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/rehearsal"
	"github.com/originhub/originhub/pkg/sandbox"
)

func sandboxCommand() *cobra.Command {
	parent := &cobra.Command{Use: "sandbox", Short: "Run the local sandbox", Args: none, RunE: help}
	parent.AddCommand(serveCommand())
	return parent
}

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, edge, clock, assembly string
	policy                        string
	templates, functions          string
	seed                          uint64
	keep                          int
	empty, anywhere, logs         bool
	parameters, stacks, issued    []string
}

func serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the sandbox to any AWS SDK or CLI",
		Long:    serveHelp,
		Example: serveExample,
		Args:    none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			assembly, err := o.deployed()
			if err != nil {
				return err
			}
			world, err := o.world(cmd)
			if err != nil {
				return err
			}
			return serveWorld(cmd, world, assembly)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:4566", "address of all AWS services")
	f.StringVar(&o.edge, "edge", "127.0.0.1:4567", "address of CloudFront's data plane")
	f.BoolVar(&o.anywhere, "allow-remote", false, "permit addresses other than loopback; the sandbox does not authenticate callers")
	f.StringVar(&o.clock, "clock", "virtual", "virtual: time stands still until you advance it; real: time runs")
	f.BoolVar(&o.empty, "empty", false, "start with empty accounts, with nothing deployed")
	f.StringVar(&o.assembly, "assembly", "", "deploy this CDK assembly, with functions built for this machine, instead of the demo's stacks")
	f.StringVar(&o.policy, "policy", "", "hub policy of the assembly, whose organization, accounts and hosted zone replace those of the demo")
	f.StringArrayVar(&o.parameters, "parameters", nil, "STACK:NAME=VALUE, a template parameter of a stack of the assembly; may be repeated")
	f.StringArrayVar(&o.stacks, "stack", nil, "STACK=ACCOUNT[,ACCOUNT…], deploys a stack of the assembly to these accounts; stacks that are not named are not deployed; may be repeated")
	f.StringArrayVar(&o.issued, "certificate", nil, "ARN=NAME[,NAME…], an ACM certificate for these names that exists before anything is deployed; may be repeated")
	f.Uint64Var(&o.seed, "seed", 1, "seed of all generated ids")
	f.IntVar(&o.keep, "keep", 10000, "how many entries to keep of the calls, of the events and of CloudTrail's event history, the newest of each; 0 for all")
	f.BoolVar(&o.logs, "logs", false, "show the functions' logs on standard error")
	worldFlags(cmd, &o.templates, &o.functions)
	return cmd
}

const serveHelp = `Serve runs the sandbox on one port for all services and Regions. The access key id of a call is the 12-digit account id; a
call with an assumed role belongs to the role's account. The Region comes from the signature. Any secret key is accepted.

The sandbox starts with the demo's stacks deployed: the hub in Networking account 100000000000, and spokes in accounts
111111111111 (team-a, outside the organization), 222222222222 (team-b, inside) and 333333333333 (team-c, inside). Account
999999999999 is a stranger without a spoke.

When it is ready, it prints one line of JSON with its addresses: {"endpoint": "…", "edge": "…"}. The virtual clock stands
still until you advance it with POST /_sandbox/advance. The sandbox ends on SIGTERM or an interrupt.

Control endpoints, in addition to the AWS services:
  GET  /_sandbox/state         snapshot of all accounts
  GET  /_sandbox/calls         all API calls: caller, operation, the statement that allowed or denied it, result
  GET  /_sandbox/events        all events on the buses, the rules that matched them, and the result of each delivery
  POST /_sandbox/advance       {"seconds": 90} or {"until": "idle"}; returns {"now": …, "idle": …, "underway": […]}
  POST /_sandbox/faults        adds a fault rule; GET lists the rules, DELETE removes all
  GET  /_sandbox/ledger        the modelled AWS behaviour: claim, source, certainty, test
  GET  /_sandbox/operations    the operations that are implemented

Calls and events have a number "seq". With ?since=<seq> only later ones are returned. The sandbox keeps the newest 10,000 of each, or as
many as --keep says; "dropped" in the answer is how many older ones are missing from it.

The sandbox is idle when only schedules, such as the sweep, and expiries are left. {"until": "idle"} gives up after a month
of virtual time, after retries of failed work at 200 different times, or after 100,000 events. Then "idle" is false, and
"underway" names what is still running.

A fault rule says what goes wrong, and for which calls or events. Names are patterns in which * stands for any characters. A
function has its physical name, so "*Wire*" matches wire. "nth" is the first match that is affected, "times" is how many are
affected, and delays are in seconds.
  {"fault": "throttle", "service": "cloudfront", "operation": "UpdateDistribution", "times": 3}
  {"fault": "error", "operation": "GetVpcOrigin", "error": {"code": "AccessDenied", "message": "no", "status": 403}}
  {"fault": "error", "operation": "UpdateDistribution", "mentions": "/team-b/*", "error": {"code": "InvalidArgument"}}
  {"fault": "timeout-after-success", "function": "*Teardown*", "nth": 5}
  {"fault": "crash", "function": "*Wire*", "operation": "UpdateDistribution", "nth": 1}
  {"fault": "foreign-edit", "operation": "UpdateDistribution", "function": "*Wire*", "hook": "distribution-comment", "times": 3}
  {"fault": "foreign-edit", "operation": "DeleteVpcOrigin", "hook": "keep-network-interfaces"}
  {"fault": "event-drop", "source": "aws.ram"}   also event-duplicate, event-delay and event-reverse, with "delay"`

const serveExample = `  originhub sandbox serve &
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=x AWS_REGION=us-east-1 \
    aws cloudfront list-vpc-origins
  curl -d '{"until": "idle"}' http://127.0.0.1:4566/_sandbox/advance`

// check refuses flags that cannot be combined.
func (o *serveOptions) check(cmd *cobra.Command) error {
	switch changed := cmd.Flags().Changed; {
	case o.clock != "virtual" && o.clock != "real":
		return misused(cmd, "--clock %q is not valid: use virtual or real", o.clock)
	case o.keep < 0:
		return misused(cmd, "--keep %d is not valid: name a number of entries, or 0 for all", o.keep)
	case changed("assembly") && (changed("empty") || changed("functions")):
		return misused(cmd, "--assembly replaces the demo's stacks and functions: leave out --empty and --functions")
	case o.assembly == "" && (changed("assembly") || changed("stack") || changed("parameters") || changed("policy")):
		return misused(cmd, "--stack, --parameters and --policy apply to an assembly: name its directory with --assembly")
	}
	return errors.Join(checkAddress("--listen", o.listen, o.anywhere), checkAddress("--edge", o.edge, o.anywhere))
}

// deployed returns the assembly that replaces the demo's stacks, if there is one.
func (o *serveOptions) deployed() (a sandbox.Assembly, err error) {
	a.Dir = o.assembly
	if a.Parameters, err = stackParameters(o.parameters); err != nil {
		return a, err
	}
	a.Accounts, err = stackAccounts(o.stacks)
	return a, err
}

func (o *serveOptions) world(cmd *cobra.Command) (rehearsal.Options, error) {
	certificates, err := issuedCertificates(o.issued)
	if err != nil {
		return rehearsal.Options{}, err
	}
	world := rehearsal.Options{
		Templates: o.templates, Functions: o.functions, AccountsOnly: o.empty || o.assembly != "",
		Sandbox: sandbox.Options{
			Seed: o.seed, Keep: o.keep, Listen: o.listen, EdgeListen: o.edge, RealClock: o.clock == "real", Certificates: certificates,
		},
	}
	if o.policy != "" {
		if world.Policy, err = readFile(o.policy, cmd.InOrStdin()); err != nil {
			return rehearsal.Options{}, err
		}
		world.OwnAccounts = true
	}
	if o.logs {
		world.Sandbox.LogWriter = func(string) io.Writer { return cmd.ErrOrStderr() }
	}
	return world, nil
}

// serveWorld runs a world, and an assembly in it if one is given, until a signal arrives.
func serveWorld(cmd *cobra.Command, o rehearsal.Options, assembly sandbox.Assembly) (failed error) {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	w, err := rehearsal.New(o)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; end the process that listens there, perhaps another sandbox, or choose other addresses with --listen and --edge", err)
	} else if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, w.Close()) }()
	if assembly.Dir != "" {
		if err := w.DeployAssembly(assembly); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w; name the directory that cdk synth wrote, with functions for this machine: -c functions=.build/local", err)
		} else if err != nil {
			return err
		}
	}
	if err := printJSON(cmd.OutOrStdout(), report{Endpoint: w.Endpoint(), Edge: w.Edge()}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// stackParameters parses parameters in the form of the CDK CLI. It returns their values by stack and name.
func stackParameters(given []string) (map[string]map[string]string, error) {
	parameters := map[string]map[string]string{}
	for _, p := range given {
		stack, rest, named := strings.Cut(p, ":")
		name, value, valued := strings.Cut(rest, "=")
		if !named || !valued || stack == "" || name == "" {
			return nil, fmt.Errorf("--parameters %q is not STACK:NAME=VALUE", p)
		}
		if parameters[stack] == nil {
			parameters[stack] = map[string]string{}
		}
		parameters[stack][name] = value
	}
	return parameters, nil
}

// stackAccounts parses STACK=ACCOUNT[,ACCOUNT…]. It returns accounts by stack.
func stackAccounts(given []string) (map[string][]string, error) {
	accounts := map[string][]string{}
	for _, g := range given {
		stack, list, ok := strings.Cut(g, "=")
		if !ok || stack == "" || list == "" {
			return nil, fmt.Errorf("--stack %q is not STACK=ACCOUNT[,ACCOUNT…]", g)
		}
		accounts[stack] = append(accounts[stack], strings.Split(list, ",")...)
	}
	return accounts, nil
}

// issuedCertificates parses ARN=NAME[,NAME…].
func issuedCertificates(given []string) ([]sandbox.Certificate, error) {
	var certificates []sandbox.Certificate
	for _, g := range given {
		arn, names, ok := strings.Cut(g, "=")
		if !ok || arn == "" || names == "" {
			return nil, fmt.Errorf("--certificate %q is not ARN=NAME[,NAME…]", g)
		}
		certificates = append(certificates, sandbox.Certificate{ARN: arn, Names: strings.Split(names, ",")})
	}
	return certificates, nil
}

// worldFlags adds the flags for the directories of the demo's templates and functions.
func worldFlags(cmd *cobra.Command, templates, functions *string) {
	cmd.Flags().StringVar(templates, "templates", "infra/testdata", "directory of the synthesized templates")
	cmd.Flags().StringVar(functions, "functions", ".build/local", "directory of the functions, built for this machine")
}

func checkAddress(flag, address string, anywhere bool) error {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s %q is not an address: write host:port, such as 127.0.0.1:4566", flag, address)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || (ip != nil && ip.IsLoopback()) || anywhere {
		return nil
	}
	return fmt.Errorf("%s %q is not on loopback, and the sandbox does not authenticate callers; to permit it anyway, add --allow-remote", flag, address)
}

// report is the line that `sandbox serve` prints when it is ready.
type report struct {
	Endpoint string `json:"endpoint"`
	Edge     string `json:"edge"`
}

func printJSON(out io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}
