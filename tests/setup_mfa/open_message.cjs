// Opens an Encryption SDK message with AWS's JavaScript implementation.
const { buildDecrypt } = require('@aws-crypto/decrypt-node')
const { CommitmentPolicy } = require('@aws-crypto/material-management-node')
const { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } = require('@aws-crypto/raw-aes-keyring-node')

const { decrypt } = buildDecrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1
})

/** Takes and returns JSON; `key` and `message` are in base64. */
module.exports = async ({ key, message }) => {
  const keyring = new RawAesKeyringNode({
    keyNamespace: 'mfa-development',
    keyName: 'raw',
    unencryptedMasterKey: Uint8Array.from(Buffer.from(key, 'base64')),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING
  })
  const { plaintext, messageHeader } = await decrypt(keyring, Buffer.from(message, 'base64'))
  return {
    plaintext: plaintext.toString('utf8'),
    context: messageHeader.encryptionContext,
    suite: messageHeader.suiteId
  }
}
