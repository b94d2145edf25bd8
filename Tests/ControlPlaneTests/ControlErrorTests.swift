import Artifacts
import ControlAPI
import HTTPTypes
import Hosts
import Store
import Testing

@testable import ControlPlane

/// The one mapping from errors to answers.
@Suite struct ControlErrorTests {
    @Test(arguments: [
        (StoreError.Code.blobUnknown, 404, "BLOB_UNKNOWN"), (.manifestUnknown, 404, "MANIFEST_UNKNOWN"),
        (.nameUnknown, 404, "NAME_UNKNOWN"), (.uploadUnknown, 404, "BLOB_UPLOAD_UNKNOWN"),
        (.digestMismatch, 400, "DIGEST_INVALID"),
        (.sizeMismatch, 400, "SIZE_INVALID"), (.offsetMismatch, 416, "BLOB_UPLOAD_INVALID"),
        (.tagExists, 409, "DENIED"), (.channelMoved, 409, "DENIED"), (.noEarlierVersion, 409, "DENIED"),
        (.inUse, 405, "UNSUPPORTED"), (.notPermitted, 403, "DENIED"), (.busy, 429, "TOOMANYREQUESTS"),
        (.tooMuch, 409, "DENIED"),
        (.manifestBlobUnknown, 404, "MANIFEST_BLOB_UNKNOWN"), (.invalidManifest, 400, "MANIFEST_INVALID"),
        (.noSpace, 507, "DENIED"),
        (.degraded, 503, "UNAVAILABLE"), (.failure, 500, "UNKNOWN"),
    ])
    func storeErrorsHaveTheirCode(code: StoreError.Code, status: Int, name: String) {
        let error = ControlError(StoreError(code, "the message"))
        #expect(error.status.code == status)
        #expect(error.document.errors.first?.code == name)
        #expect(error.document.errors.first?.message == "the message")
    }

    @Test func internalDetailStaysInside() {
        struct Detail: Error, CustomStringConvertible { var description: String { "/secret/path" } }
        for error in [StoreError(.failure, "the disk failed", cause: Detail()) as any Error, Detail()] {
            let answer = ControlError(error)
            #expect(answer.document.errors.allSatisfy { !$0.message.contains("secret") })
            #expect(answer.cause?.contains("secret") == true)
        }
    }
}
