import json
import subprocess
answer = json.loads(subprocess.check_output(['aws', 'cloudfront', 'get-distribution', '--id', dist]))
config = answer['Distribution']['DistributionConfig']
config['Comment'] = version
with open('next.json', 'w') as f:
    json.dump(config, f)
subprocess.run(['aws', 'cloudfront', 'update-distribution', '--id', dist, '--if-match', answer['ETag'], '--distribution-config', 'file://next.json'])
