"""What there is to learn: packs, strict YAML, and the frozen models of problems and the roadmap."""
