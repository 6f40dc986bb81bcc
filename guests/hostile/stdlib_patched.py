# {"ends": "ok", "container": {"ends": ["ok", "exit"]}}
# What one run does to its interpreter, no other run sees.
import builtins
import json
import sys

json.loads = json.dumps = None
builtins.open = builtins.len = builtins.__import__ = None
sys.path.clear()
sys.modules.clear()
