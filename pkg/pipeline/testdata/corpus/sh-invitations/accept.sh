#!/bin/bash
for inv in $(aws ram get-resource-share-invitations --query 'resourceShareInvitations[?status==`PENDING`].resourceShareInvitationArn' --output text); do
  aws ram accept-resource-share-invitation --resource-share-invitation-arn "$inv"
done
