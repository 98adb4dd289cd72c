"""What the functions are made of that others wrote: bills of materials, licences, known vulnerabilities.

``python -m infra.packaging.supply_chain sbom``, ``licences`` or ``audit``.
"""
