"""Who answers a judge's requests: endpoints, and models in this process."""
