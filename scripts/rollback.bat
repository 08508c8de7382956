@echo off
rem Goes back to an earlier release of the platform. See --help. The same as rollback.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-operator.bat" :defaults
set "TO="
set "TAG="
set "OVERLAY=dev"
set "CHECK=yes"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--skip-check" goto take_check
if "%~1"=="--to" goto take_to
if "%~1"=="--tag" goto take_tag
if "%~1"=="--overlay" goto take_overlay
call "%~dp0lib-operator.bat" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_check
set "CHECK=no"
shift
goto arguments

:take_to
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TO=%~2"
shift
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TAG=%~2"
shift
shift
goto arguments

:take_overlay
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "OVERLAY=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\rollback.bat [OPTION]
echo.
echo Goes back to an earlier release. Migrations are not undone: services work with a database that is newer than they are.
echo So the earlier release is first asked, in the cluster, what it thinks of the database (bizosaas migrate --status); it is
echo refused when a migration that it knows was changed or is missing there, because its migration Job would fail.
echo Data and Secrets stay as they are.
echo.
echo   --to REVISION      Helm's revision to go back to (default: the last one that worked); see helm history
echo   --tag TAG          without Helm: tag of the images to go back to, deployed with scripts\k8s-deploy.bat
echo   --overlay NAME     without Helm: the overlay (default dev)
echo   --skip-check       do not compare the schemas
echo   --image IMAGE      the operator's image of the earlier release (default: found out)
echo   --admin-user NAME  the database's administrator (default postgres)
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --context NAME     context of kubectl
echo   --host HOST        where the NodePorts answer (default: found out)
echo   --timeout SECONDS  longest wait for each step (default 900)
echo   --dry-run          print what would be changed; the schemas are not compared
echo   --yes              do not ask
echo   --help
exit /b 0

:checked
set "REST="
if not "%TO%"=="" for /f "delims=0123456789" %%N in ("%TO%") do set "REST=%%N"
if not "%REST%"=="" echo error: --to needs the number of a revision 1>&2
if not "%REST%"=="" exit /b 2
if "%TAG%"=="" goto clear
if "%TO%"=="" goto clear
echo error: --to is for Helm, --tag for a release without Helm 1>&2
exit /b 2

:clear
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call "%LIB%" :find_helm_release
if errorlevel 1 exit /b 1
if "%HELM_RELEASE%"=="yes" call :find_revision
if errorlevel 1 exit /b 1
if "%HELM_RELEASE%"=="no" call :find_tag
if errorlevel 1 exit /b 1
call :compare_schemas
if errorlevel 1 exit /b 1
call "%LIB%" :confirm "Roll %RELEASE% in %NAMESPACE% back to %TARGET%?"
if errorlevel 1 exit /b 1
if "%HELM_RELEASE%"=="no" goto deploy_tag
call "%LIB%" :change %HELM% rollback %RELEASE% %TO% --wait --timeout %TIMEOUT%s
if errorlevel 1 goto failed
call "%LIB%" :health_check %TIMEOUT%
if errorlevel 1 exit /b 1
exit /b 0

:deploy_tag
set "OPTIONS=--overlay %OVERLAY% --tag %TAG% --namespace %NAMESPACE% --timeout %TIMEOUT%"
if not "%CONTEXT%"=="" set "OPTIONS=%OPTIONS% --context %CONTEXT%"
if not "%NODE%"=="" set "OPTIONS=%OPTIONS% --host %NODE%"
if "%DRY_RUN%"=="yes" set "OPTIONS=%OPTIONS% --dry-run"
call "%~dp0k8s-deploy.bat" %OPTIONS%
if errorlevel 1 exit /b 1
exit /b 0

:failed
call "%LIB%" :explain_failure
echo error: the rollback did not succeed 1>&2
exit /b 1

rem TO and the operator's image of that revision.
:find_revision
if not "%TAG%"=="" echo error: %RELEASE% was installed with Helm: use --to REVISION 1>&2
if not "%TAG%"=="" exit /b 1
if not "%TO%"=="" goto known
call %HELM% history %RELEASE% >"%SCRATCH%\history"
set "STATUS="
set "DEPLOYED="
rem the date is five words
for /f "usebackq tokens=1,7" %%R in ("%SCRATCH%\history") do call :revision %%R %%S
rem the one before; after an upgrade that failed or was interrupted, the one that is still called deployed
if "%STATUS%"=="failed" set "STATUS=pending-"
if not "%DEPLOYED%"=="" if "%STATUS:~0,8%"=="pending-" set "TO=%DEPLOYED%"
if "%TO%"=="" echo error: there is no earlier revision: helm history %RELEASE% --namespace %NAMESPACE% 1>&2
if "%TO%"=="" exit /b 1

:known
set "TARGET=revision %TO%"
if not "%OPERATOR_IMAGE%"=="" exit /b 0
call %HELM% get manifest %RELEASE% --revision %TO% >"%SCRATCH%\manifest"
"%FIND%" "image:" <"%SCRATCH%\manifest" >"%SCRATCH%\images"
del "%SCRATCH%\manifest"
for /f "usebackq tokens=1,2" %%A in ("%SCRATCH%\images") do call :image %%A %%B
if not "%OPERATOR_IMAGE%"=="" exit /b 0
echo error: revision %TO% names no image of the operator: give it with --image 1>&2
exit /b 1

:revision
set "STATUS=%~2"
if "%STATUS%"=="superseded" set "TO=%~1"
if "%STATUS%"=="deployed" set "DEPLOYED=%~1"
exit /b 0

:image
if not "%~1"=="image:" exit /b 0
set "WHOLE=%~2"
if not "%WHOLE:/bizosaas:=%"=="%WHOLE%" set "OPERATOR_IMAGE=%WHOLE%"
if not "%WHOLE:/bizosaas@=%"=="%WHOLE%" set "OPERATOR_IMAGE=%WHOLE%"
exit /b 0

:find_tag
if not "%TO%"=="" echo error: %RELEASE% was not installed with Helm: use --tag TAG 1>&2
if not "%TO%"=="" exit /b 1
if "%TAG%"=="" echo error: %RELEASE% was not installed with Helm: name the images' earlier tag with --tag 1>&2
if "%TAG%"=="" exit /b 1
set "TARGET=tag %TAG%"
if not "%OPERATOR_IMAGE%"=="" exit /b 0
call "%~dp0lib-operator.bat" :find_image
if errorlevel 1 exit /b 1
set "OLD_TAG=%OPERATOR_IMAGE:*/bizosaas:=%"
call set "OPERATOR_IMAGE=%%OPERATOR_IMAGE:/bizosaas:%OLD_TAG%=/bizosaas:%TAG%%%"
exit /b 0

rem What the earlier release says of the database; errorlevel 1 when it could not work with it.
:compare_schemas
if "%DRY_RUN%"=="yes" set "CHECK=no"
if "%CHECK%"=="no" echo the schemas are not compared
if "%CHECK%"=="no" exit /b 0
echo asking %OPERATOR_IMAGE% about the database
call "%~dp0lib-operator.bat" :find_settings
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :start plain "migrate, --status, --json"
if errorlevel 1 exit /b 1
rem it fails when something is pending: its answer decides
call "%~dp0lib-operator.bat" :wait Succeeded Succeeded
call "%~dp0lib-operator.bat" :logs >"%SCRATCH%\levels"
"%FIND%" "state" <"%SCRATCH%\levels" >nul
if errorlevel 1 goto not_compared
"%FIND%" """wrong""" <"%SCRATCH%\levels" >nul
if not errorlevel 1 goto refused
"%FIND%" """newer""" <"%SCRATCH%\levels" >nul
if not errorlevel 1 echo the database is newer than %TARGET%, which is fine
"%FIND%" """pending""" <"%SCRATCH%\levels" >nul
if not errorlevel 1 echo %TARGET% will migrate the database first
exit /b 0

:not_compared
type "%SCRATCH%\levels" 1>&2
echo error: the schemas cannot be compared; nothing was changed (--skip-check goes on without) 1>&2
exit /b 1

:refused
type "%SCRATCH%\levels" 1>&2
echo error: %TARGET% cannot work with this database: migrations that it knows were changed or are missing (see above); nothing was changed. Restore a backup instead: docs\upgrade-rollback.md 1>&2
exit /b 1
