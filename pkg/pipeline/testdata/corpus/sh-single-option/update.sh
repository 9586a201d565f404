#!/bin/bash
aws cloudfront update-distribution --id "$D" --default-root-object index.html
