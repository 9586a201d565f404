#!/bin/bash
aws cloudfront untag-resource --resource "$ARN" --tag-keys Items=originhub:host
aws cloudfront untag-resource --resource "$ARN" --tag-keys Items=originhub:teardown
aws cloudfront untag-resource --resource "$ARN" --tag-keys Items=team
