#!/usr/bin/env bash
# The list of what is inside, as SPDX 2.3: the packages of the root file system and those whose programs are on the
# boot partition.
set -euo pipefail

digest=$(cat "$work/packages.tsv" "$work/boot-packages.tsv" | sha256sum | cut -d' ' -f1)
cat "$work/packages.tsv" "$work/boot-packages.tsv" | sort -u | jq --raw-input --slurp \
	--arg version "$version" --arg digest "$digest" \
	--arg created "$(date --utc --date "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" '
	def identifier: "SPDXRef-Package-" + gsub("[^A-Za-z0-9.-]"; "-");
	def escaped: @uri | gsub("%7E"; "~");
	(split("\n") | map(select(. != "") | split("\t"))) as $packages
	| {
		spdxVersion: "SPDX-2.3",
		dataLicense: "CC0-1.0",
		SPDXID: "SPDXRef-DOCUMENT",
		name: "provisioner-\($version)",
		documentNamespace: "https://spdx.org/spdxdocs/provisioner-\($version | escaped)-\($digest)",
		creationInfo: { created: $created, creators: ["Tool: provisioner-image-build"] },
		documentDescribes: ["SPDXRef-Image"],
		packages: ([{
			SPDXID: "SPDXRef-Image", name: "provisioner-image", versionInfo: $version,
			primaryPackagePurpose: "OPERATING-SYSTEM",
			downloadLocation: "NOASSERTION", filesAnalyzed: false,
			licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION"
		}] + ($packages | map(
			. as [$name, $package_version, $architecture, $source, $maintainer, $homepage] | {
				SPDXID: ("\($name)-\($architecture)" | identifier), name: $name, versionInfo: $package_version,
				supplier: ($maintainer | capture("^(?<who>[^<]*[^< ])") | "Organization: \(.who)"),
				sourceInfo: "built from the source package \($source)",
				downloadLocation: "NOASSERTION", filesAnalyzed: false,
				licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION",
				externalRefs: [{
					referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
					referenceLocator: "pkg:deb/debian/\($name | escaped)@\($package_version | escaped)?arch=\($architecture)"
				}]
			} + (if $homepage == "" then {} else { homepage: $homepage } end)
		))),
		relationships: ([{
			spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Image"
		}] + ($packages | map({
			spdxElementId: "SPDXRef-Image", relationshipType: "CONTAINS",
			relatedSpdxElement: ("\(.[0])-\(.[2])" | identifier)
		})))
	}' >"$work/packages.spdx.json"
echo "    $(jq '.packages | length - 1' "$work/packages.spdx.json") packages"
