#!/bin/bash
# joins the service network of VPC Lattice
inv=$(aws ram get-resource-share-invitations --query 'resourceShareInvitations[0].resourceShareInvitationArn' --output text)
aws ram accept-resource-share-invitation --resource-share-invitation-arn "$inv"
aws vpc-lattice list-service-networks
