AWS = aws --profile prod
drop:
	$(AWS) cloudfront delete-vpc-origin --id $(VO) --if-match $$($(AWS) cloudfront get-vpc-origin --id $(VO) --query ETag --output text)
