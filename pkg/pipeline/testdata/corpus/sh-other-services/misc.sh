#!/bin/bash
aws lightsail delete-distribution --distribution-name x
aws ec2 delete-vpc --vpc-id vpc-1
aws ram list-resources --resource-owner SELF
aws ram get-resource-share-invitations
aws cloudfront delete-function --name f --if-match E
aws cloudfront delete-cache-policy --id p --if-match E
