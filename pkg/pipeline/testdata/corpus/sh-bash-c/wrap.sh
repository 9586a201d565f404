#!/bin/sh
sudo -u deploy bash -c "aws cloudfront delete-distribution --id E2ABCDEFGH --if-match $1"
