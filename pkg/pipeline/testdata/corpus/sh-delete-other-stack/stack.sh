#!/bin/bash
# cloudfront is not part of it
aws cloudformation delete-stack --stack-name batch-jobs
