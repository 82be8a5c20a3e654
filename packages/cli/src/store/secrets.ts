const secretOption = /[?&][^=&]*(?:password|passwd|secret|token)[^=&]*=/i

/** Whether a URL holds what must not stand in a command line, where every user of the machine can read it. */
export function hasSecret(url: string): boolean {
  return /:\/\/[^/]*:[^@]*@/.test(url) || secretOption.test(url)
}

/** A text without the user, the password and the options of any URL in it. */
export function withoutSecrets(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s"'/]*@/gi, '$1').replace(/([?&][^=&\s]+=)[^&\s"']+/g, '$1…')
}
