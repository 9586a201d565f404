package workflow

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// byID asks CloudFront for VPC origins that its list lacks. AWS does not document whether ListVpcOrigins returns shared ones (CF-42). It returns those
// that CloudFront returned, and for each of the others the error, by id.
func byID(ctx context.Context, from origins, ids []string, log *slog.Logger) (found []origin.VpcOrigin, failed map[string]error) {
	if len(ids) == 0 {
		return nil, nil
	}
	seen, errs := make([]origin.VpcOrigin, len(ids)), make([]error, len(ids))
	each(len(ids), accountsPerWorker, func(i int) { seen[i], errs[i] = from.VpcOrigin(ctx, ids[i]) })
	failed = map[string]error{}
	for i, id := range ids {
		if errs[i] != nil {
			failed[id] = errs[i]
		} else {
			found = append(found, seen[i])
		}
	}
	log.WarnContext(ctx, "ListVpcOrigins lacks VPC origins that are shared with the hub; they were read by id", "asked", len(ids), "found", len(found))
	return found, failed
}

// unlisted completes what CloudFront lists. An origin for which no answer came, because the error may pass, costs only itself.
func (r *admitRun) unlisted(ctx context.Context) error {
	found, failed := byID(ctx, r.CloudFront, r.run.Unlisted(), r.log)
	r.run.Visible, r.run.Unseen = append(r.run.Visible, found...), map[string]string{}
	var unanswered []error
	for id, err := range failed {
		if fault.Is[*fault.Retry](err) {
			unanswered = append(unanswered, err)
		} else {
			r.run.Unseen[id] = fault.Code(err)
		}
	}
	return errors.Join(unanswered...)
}

// unlisted completes what CloudFront lists by the VPC origins that RAM lists.
func (a *Audit) unlisted(ctx context.Context, visible []origin.VpcOrigin, offered []origin.Resource) ([]origin.VpcOrigin, error) {
	known := map[string]bool{}
	for _, v := range visible {
		known[v.ARN] = true
	}
	var ids []string
	for _, s := range offered {
		if ref, err := origin.ParseARN(s.ARN); err == nil && s.Type == admission.VPCOrigin && !known[s.ARN] {
			known[s.ARN] = true
			ids = append(ids, ref.ID)
		}
	}
	found, failed := byID(ctx, a.CloudFront, ids, a.Log)
	for _, err := range failed {
		if fault.Is[*fault.Retry](err) {
			return nil, err
		}
	}
	return append(visible, found...), nil
}

// listed returns what CloudFront lists, and those of ids that it does not list but returns by id. Function wire leaves an origin that it does not return as
// it is, and asks again.
func (r *wireRun) listed(ctx context.Context, ids []string) ([]origin.VpcOrigin, error) {
	list, err := r.origins()
	if err != nil {
		return nil, err
	}
	lacks := func(id string) bool {
		return !slices.ContainsFunc(list, func(v origin.VpcOrigin) bool { return v.ID == id })
	}
	var unlisted []string
	for _, id := range ids {
		if lacks(id) {
			unlisted = append(unlisted, id)
		}
	}
	found, failed := byID(ctx, r.CloudFront, unlisted, r.Log)
	for id, err := range failed {
		r.Log.WarnContext(ctx, "CloudFront neither lists nor returns a VPC origin that is to be wired; it waits", "origin", id, "error", err)
	}
	return slices.Concat(list, found), nil // list belongs to all distributions of the run
}
