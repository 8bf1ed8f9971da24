"""What privacy.yml says: model, loader, settings of the store. See DESIGN.md, section 5."""
