"""What somebody may have meant by a key or word that the format does not know; a hint only, never an answer."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

# The words of other people: for each what stands for it here. A key that stands elsewhere is named with its place.
MEANT: Mapping[str, str] = {
    # keys
    "country": "established_in",
    "countries": "established_in",
    "member_state": "established_in",
    "jurisdiction": "established_in",
    "headquarters": "main_establishment",
    "employees": "size: {staff: …}",
    "headcount": "size: {staff: …}",
    "staff": "size: {staff: …}",
    "fte": "size: {staff: …}",
    "awu": "size: {staff: …}",
    "turnover": "size: {turnover: …}",
    "annual_turnover": "size: {turnover: …}",
    "revenue": "size: {turnover: …}",
    "balance": "size: {balance: …}",
    "balance_sheet": "size: {balance: …}",
    "balance_sheet_total": "size: {balance: …}",
    "total_assets": "size: {balance: …}",
    "group": "size: {group: […]}",
    "linked_enterprises": "size: {group: […]}",
    "partners": "size: {group: […]}",
    "group_turnover": "undertaking_turnover_worldwide",
    "worldwide_turnover": "undertaking_turnover_worldwide",
    "sector": "services",
    "sectors": "services",
    "service": "services",
    "type": "services",
    "entity_type": "services",
    "activity": "activities",
    "systems": "ai_systems",
    "ai": "ai_systems",
    "models": "ai_systems",
    "role": "activities",
    "purpose": "purposes",
    "use_case": "purposes",
    "section": "annex_i_product",
    "safety_component": "product_or_safety_component",
    "compute": "training_compute",
    "flops": "training_compute",
    "category": "core_function",
    "critical_entity": "cer_critical_entity",
    "share": "capital_percent",
    "votes": "votes_percent",
    # services
    "hospital": "healthcare_provider",
    "health": "healthcare_provider",
    "clinic": "healthcare_provider",
    "pharma": "pharmaceutical_manufacturer",
    "bank": "credit_institution",
    "banking": "credit_institution",
    "stock_exchange": "trading_venue_operator",
    "insurance": "other_financial_entity_under_dora",
    "insurer": "other_financial_entity_under_dora",
    "energy": "electricity_undertaking",
    "electricity": "electricity_undertaking",
    "gas": "gas_undertaking",
    "water": "drinking_water_supplier",
    "drinking_water": "drinking_water_supplier",
    "waste_water": "waste_water_undertaking",
    "wastewater": "waste_water_undertaking",
    "waste": "waste_management",
    "airline": "air_transport",
    "airport": "air_transport",
    "railway": "rail_transport",
    "port": "water_transport",
    "shipping": "water_transport",
    "space": "space_ground_infrastructure_operator",
    "cloud": "cloud_computing_service_provider",
    "cloud_provider": "cloud_computing_service_provider",
    "iaas": "cloud_computing_service_provider",
    "paas": "cloud_computing_service_provider",
    "saas": "software_as_a_service",
    "data_centre": "data_centre_service_provider",
    "data_center": "data_centre_service_provider",
    "datacentre": "data_centre_service_provider",
    "datacenter": "data_centre_service_provider",
    "cdn": "content_delivery_network_provider",
    "msp": "managed_service_provider",
    "mssp": "managed_security_service_provider",
    "dns": "dns_service_provider",
    "tld": "tld_name_registry",
    "registrar": "domain_name_registration_service",
    "ixp": "internet_exchange_point",
    "isp": "public_communications_service_provider",
    "internet_service_provider": "public_communications_service_provider",
    "telecom": "public_communications_network_provider",
    "telecoms": "public_communications_network_provider",
    "marketplace": "online_marketplace",
    "search_engine": "online_search_engine",
    "social_network": "social_networking_services_platform",
    "post": "postal_or_courier_service",
    "courier": "postal_or_courier_service",
    "chemicals": "chemicals_manufacturer_or_distributor",
    "food": "food_wholesale_or_industry",
    "car_maker": "motor_vehicle_manufacturer",
    "automotive": "motor_vehicle_manufacturer",
    "machinery": "machinery_manufacturer",
    "electronics": "electronics_manufacturer",
    "medical_devices": "medical_device_manufacturer",
    "research": "research_organisation",
    "university": "education_institution",
    "school": "education_institution",
    "municipality": "local_government_entity",
    "city": "local_government_entity",
    "ministry": "central_government_entity",
    "region": "regional_government_entity",
    "consulting": "ai_consulting",
    "inference_api": "hosted_inference_api",
    "none": "none_of_these",
    "other": "none_of_these",
    # what is done with an AI system
    "provider": "develops_under_own_name",
    "provides": "develops_under_own_name",
    "develops": "develops_under_own_name",
    "deployer": "uses",
    "deploys": "uses",
    "importer": "imports",
    "distributor": "resells",
    "distributes": "resells",
    "authorised_representative": "represents_foreign_provider",
    "product_manufacturer": "builds_into_own_product",
    "fine_tunes": "modifies_model",
    "fine_tuning": "modifies_model",
    # what it is for
    "recruitment": "employment",
    "hiring": "employment",
    "credit_scoring": "creditworthiness",
    "chatbot": "talks_to_people",
    "chat": "talks_to_people",
    "image_generation": "generates_content",
    "text_generation": "generates_content",
    "deepfake": "deep_fakes",
    "biometric_identification": "remote_biometric_identification",
    "critical_infrastructure": "safety_component_of_critical_infrastructure",
    "insurance_pricing": "life_or_health_insurance",
    "migration": "migration_asylum_border",
    "minimal": "other",
    # products and shares
    "web_browser": "browser",
    "firewall": "firewall_or_intrusion_detection",
    "ids": "firewall_or_intrusion_detection",
    "hypervisor": "hypervisor_or_container_runtime",
    "container_runtime": "hypervisor_or_container_runtime",
    "iam": "identity_or_privileged_access_management",
    "antivirus": "malware_removal",
    "hsm": "hardware_security_box",
    "smartcard": "smartcard_or_secure_element",
    "router": "router_modem_or_switch",
    "pki": "pki_or_key_management",
    "toy": "connected_toy",
    "wearable": "health_or_child_wearable",
    "default": "other",
    "steward": "open_source_steward",
    "vehicle": "motor_vehicle",
    "aviation": "civil_aviation",
    "subsidiary": "linked",
    "parent": "linked",
    # three-valued answers
    "dont_know": "unknown",
    "don't_know": "unknown",
    "do_not_know": "unknown",
    "n/a": "unknown",
    "not_known": "unknown",
}
_SIMILAR = 0.75


def meant(word: str, known: Collection[str]) -> str | None:
    """Return what of `known` a word may stand for: another spelling, another word for it, or one letter off."""
    plain = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    if plain in known:
        return plain
    other = MEANT.get(plain, "")
    if other.split(":")[0] in known:
        return other
    if plain in _KEYS_OF_SIZE and _KEYS_OF_SIZE[plain] in known:
        return _KEYS_OF_SIZE[plain]
    close = get_close_matches(plain, sorted(known), n=1, cutoff=_SIMILAR)
    return close[0] if close else None


# Below `size` itself, and of customers and enterprises, the same words stand for the bare key.
_KEYS_OF_SIZE = {
    key: value.removeprefix("size: {").partition(":")[0] for key, value in MEANT.items() if value.startswith("size")
}


def question(word: str, known: Collection[str]) -> str:
    """Return the hint as the end of a sentence; empty where nothing is near."""
    found = meant(word, known)
    return f"; did you mean {found}?" if found else ""


def refusal(word: str, known: Collection[str]) -> str:
    """Return the sentence about a word that is not one of a list: the nearest of it first, then all."""
    found = meant(word, known)
    near = f" (did you mean {found}?)" if found else ""
    return f"{word[:60]!r}{near} is none of: {', '.join(known)}"
