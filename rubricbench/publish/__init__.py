"""Publishing datasets to the Hub: one commit, verified, or nothing.

package = read_package("my-dataset")              # my-dataset/<config>/<split>.parquet
published = publish(package, Target("ORG/NAME"))  # compare, commit, tag, download, compare
"""

from rubricbench.publish.package import Package, read_package
from rubricbench.publish.push import Published, Target, publish

__all__ = ["Package", "Published", "Target", "publish", "read_package"]
