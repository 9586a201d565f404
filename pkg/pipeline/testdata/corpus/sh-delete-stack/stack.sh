#!/bin/bash
aws cloudformation delete-stack --stack-name team-a-origin
