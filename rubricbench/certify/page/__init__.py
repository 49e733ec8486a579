"""The pages of certificates and bridges, each one self-contained HTML file."""
