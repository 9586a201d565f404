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
	empty, anywhere, logs         bool
	parameters, stacks, issued    []string
}

func serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Offer the sandbox to any AWS SDK",
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
	f.StringVar(&o.listen, "listen", "127.0.0.1:4566", "address for all AWS services")
	f.StringVar(&o.edge, "edge", "127.0.0.1:4567", "address of CloudFront's data plane")
	f.BoolVar(&o.anywhere, "allow-remote", false, "permit addresses beyond loopback; nothing asks callers for a password")
	f.StringVar(&o.clock, "clock", "virtual", "virtual: time stands still until it is advanced; real: it runs")
	f.BoolVar(&o.empty, "empty", false, "start with bare accounts, nothing deployed")
	f.StringVar(&o.assembly, "assembly", "", "deploy this CDK assembly, with functions built for this machine, instead of the demo's world")
	f.StringVar(&o.policy, "policy", "", "the hub policy of the assembly: its organization, accounts and hosted zone are there in place of the demo's")
	f.StringArrayVar(&o.parameters, "parameters", nil, "STACK:NAME=VALUE, a template parameter of the assembly's stack; may be repeated")
	f.StringArrayVar(&o.stacks, "stack", nil, "STACK=ACCOUNT[,ACCOUNT…], where a stack of the assembly goes; others stay out; may be repeated")
	f.StringArrayVar(&o.issued, "certificate", nil, "ARN=NAME[,NAME…], an ACM certificate that is issued before anything is deployed; may be repeated")
	f.Uint64Var(&o.seed, "seed", 1, "seed of all generated ids")
	f.BoolVar(&o.logs, "logs", false, "show the functions' logs on standard error")
	worldFlags(cmd, &o.templates, &o.functions)
	return cmd
}

const serveHelp = `Serve runs the sandbox on one port for all services and Regions. The account of a call is its access key id (12 digits),
or that of the role it assumed; the Region comes from the signature. Any secret key will do.

It starts with the demo's world deployed and idle: the hub in Networking account 100000000000, spokes in 111111111111
(team-a, outside the organization), 222222222222 (team-b, inside) and 333333333333 (team-c, inside), and a stranger,
999999999999, without a spoke.

When ready it prints one line of JSON with its addresses: {"endpoint": "…", "edge": "…"}. The virtual clock stands still
until POST /_sandbox/advance moves it. It ends on SIGTERM or an interrupt.

Control endpoints, beside the AWS services:
  GET  /_sandbox/state         snapshot of all accounts
  GET  /_sandbox/calls         every API call: who, what, allowed or denied by which statement, result
  GET  /_sandbox/events        every event that a bus got, its rules that matched, and what became of each delivery
  POST /_sandbox/advance       {"seconds": 90} or {"until": "idle"}; answers {"now": …, "idle": …, "underway": […]}
  POST /_sandbox/faults        add a fault rule; GET lists them, DELETE removes all
  GET  /_sandbox/ledger        what is modeled of AWS: source, certainty, test
  GET  /_sandbox/operations    what is implemented

Calls and events have a "seq"; ?since=<seq> answers only later ones.

The world is idle when nothing is under way: what is left are schedules, such as the sweep, and expiries. Advancing until idle
gives up after a month of virtual time, when something that failed was tried again at 200 instants, or after 100,000 events;
then "idle" is false and "underway" names what keeps the world busy.

A fault rule says what goes wrong, and with which calls or events. Names are patterns, * for anything; a function is named
by its physical name, so "*Wire*" is wire. "nth" is the first match that is hit, "times" how many; delays are seconds.
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

// check refuses flags that do not go together.
func (o *serveOptions) check(cmd *cobra.Command) error {
	switch changed := cmd.Flags().Changed; {
	case o.clock != "virtual" && o.clock != "real":
		return misused(cmd, "--clock is %q: it is virtual or real", o.clock)
	case changed("assembly") && (changed("empty") || changed("functions")):
		return misused(cmd, "--assembly is deployed in place of the demo's world: leave out --empty and --functions")
	case o.assembly == "" && (changed("assembly") || changed("stack") || changed("parameters") || changed("policy")):
		return misused(cmd, "--stack, --parameters and --policy are about an assembly: name its directory with --assembly")
	}
	return errors.Join(checkAddress("--listen", o.listen, o.anywhere), checkAddress("--edge", o.edge, o.anywhere))
}

// deployed returns the assembly that is deployed in place of the demo's world, if any.
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
		Templates: o.templates, Functions: o.functions, Bare: o.empty || o.assembly != "",
		Sandbox: sandbox.Options{
			Seed: o.seed, Listen: o.listen, EdgeListen: o.edge, RealClock: o.clock == "real", Certificates: certificates,
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

// serveWorld runs a world, with an assembly if its directory is named, until a signal comes.
func serveWorld(cmd *cobra.Command, o rehearsal.Options, assembly sandbox.Assembly) (failed error) {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	w, err := rehearsal.New(o)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; end what listens there, perhaps another sandbox, or choose other addresses with --listen and --edge", err)
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

// stackParameters reads parameters as the CDK CLI spells them, by stack and name.
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

// stackAccounts reads into which accounts stacks go.
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

// issuedCertificates reads which certificates there are, and for which names.
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

// worldFlags say where the templates and the functions of the demo's world are.
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
	return fmt.Errorf("%s %q is not on loopback, and nothing asks callers for a password; add --allow-remote if you mean it", flag, address)
}

// report is what `sandbox serve` prints when it is ready.
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
